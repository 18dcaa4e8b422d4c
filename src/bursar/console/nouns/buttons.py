"""The buttons that many nouns have: make, edit, pause, go on, archive.

They look and read the same everywhere; what pressing one does to a noun, that noun says.
"""

from typing import Final

from bursar.console.nouns.shape import Deed

SUBSCRIBED: Final = ("customerId", "planId", "quantity", "startDate", "trialEnd", "couponId")
DRAFT_FIELDS: Final = ("customerId", "lines", "dueDate", "memo")
DRAFTED: Final = "A draft in the customer's currency; nothing is booked until it is finalized."
BILLED: Final = "The preview shows what will be billed, to the cent."


def making(*, label: str, route: str, words: str, fields: tuple[str, ...] = ()) -> Deed:
    """The button of a list that makes another one."""
    return Deed(slug="create", label=label, route=route, words=words, fields=fields, tone="main")


def editing(
    *, route: str, words: str, when: tuple[str, ...] = (), fields: tuple[str, ...] = ()
) -> Deed:
    """A form that begins with what is there."""
    return Deed(
        slug="edit", label="Edit", route=route, words=words, when=when, fields=fields, is_edit=True
    )


def pausing(*, route: str, words: str, when: tuple[str, ...] = ()) -> Deed:
    """It rests until it goes on."""
    return Deed(slug="pause", label="Pause", route=route, words=words, when=when)


def going_on(*, route: str, words: str, when: tuple[str, ...] = ()) -> Deed:
    """It rests no more."""
    return Deed(slug="resume", label="Go on", route=route, words=words, when=when)


def archiving(*, route: str, words: str, needs_reason: bool = False) -> Deed:
    """Nobody can choose it any more; who has it keeps it."""
    return Deed(
        slug="archive",
        label="Archive",
        route=route,
        words=words,
        when=("active",),
        tone="danger",
        needs_reason=needs_reason,
    )


def deleting(*, route: str, words: str) -> Deed:
    """It is gone, and the audit log says why."""
    return Deed(
        slug="delete", label="Delete", route=route, words=words, tone="danger", needs_reason=True
    )
