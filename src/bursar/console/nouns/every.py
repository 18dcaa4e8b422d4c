"""Every noun of the console, in the order of the navigation, and where each id leads."""

from collections.abc import Mapping
from typing import Final

from bursar.api.routes import ID_PREFIXES
from bursar.console.nouns import (
    billing,
    books,
    catalog,
    customers,
    developers,
    house,
    payments,
    payouts,
    wallets,
)
from bursar.console.nouns.shape import Noun, Section

NOUNS: Final[tuple[Noun, ...]] = (
    *customers.ALL,
    *billing.ALL,
    *catalog.ALL,
    *payments.ALL,
    *payouts.ALL,
    *wallets.ALL,
    *books.ALL,
    *developers.ALL,
    *house.ALL,
)
BY_SLUG: Final[Mapping[str, Noun]] = {noun.slug: noun for noun in NOUNS}
BY_ROUTE: Final[Mapping[str, Noun]] = {noun.rows: noun for noun in NOUNS if noun.rows}
BY_PREFIX: Final[Mapping[str, Noun]] = {
    ID_PREFIXES[noun.id_name]: noun
    for noun in reversed(NOUNS)
    if noun.item and noun.id_name in ID_PREFIXES and not noun.is_single
} | {"inv": billing.INVOICES}


def sections() -> dict[Section, list[Noun]]:
    """What the navigation shows, by section; a noun without a list is found from another."""
    shown = [noun for noun in NOUNS if noun.rows or noun.is_single]
    return {each: [noun for noun in shown if noun.section is each] for each in Section}
