"""The tables that stand on the pages of several nouns, each under its title."""

from bursar.console.cells import Column
from bursar.console.nouns.columns import AMOUNT, CREATED, DESCRIPTION, FAILURE, STATUS, WHY
from bursar.console.nouns.shape import Part


def lines(*columns: Column, teaches: str = "No lines.") -> Part:
    """What a document says line by line: the description, then these."""
    return Part(title="Lines", own="lines", columns=(DESCRIPTION, *columns), teaches=teaches)


def payments_by(name: str, *, teaches: str) -> Part:
    """Every try to collect that belongs to the thing, by this parameter of the list."""
    return Part(
        title="Payments",
        route="listPayments",
        query={name: "id"},
        noun="payments",
        columns=(AMOUNT, STATUS, FAILURE, CREATED),
        teaches=teaches,
    )


def against_payment(*, title: str, route: str, noun: str, teaches: str) -> Part:
    """What took money of a payment back, whoever wanted it."""
    return Part(
        title=title,
        route=route,
        query={"paymentId": "id"},
        noun=noun,
        columns=(AMOUNT, STATUS, WHY, CREATED),
        teaches=teaches,
    )
