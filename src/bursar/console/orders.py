"""In which order a list is shown: newest first, or, where its route can, from the other end.

The order stands in the address beside the filters, and both the head of its column and a field of
the filter form change it.
"""

from collections.abc import Mapping
from typing import Final, get_args, get_type_hints
from urllib.parse import urlencode

from msgspec import Struct

from bursar.console.asking import BY_NAME

SORT: Final = "sort"
_FIELD: Final = "createdAt"
_NEWEST: Final = f"-{_FIELD}"
_OLDEST: Final = _FIELD
_LABELS: Final = {_NEWEST: "newest first", _OLDEST: "oldest first"}


class Order(Struct, frozen=True, kw_only=True):
    """How a list is ordered now, and where the other order is."""

    chosen: str
    turned: str  # the address of the same list from its other end

    @property
    def field(self) -> str:
        """The column it goes by."""
        return _FIELD

    @property
    def aria(self) -> str:
        """As readers of the screen are told."""
        return "ascending" if self.chosen == _OLDEST else "descending"

    @property
    def query(self) -> dict[str, str]:
        """What the route is asked."""
        return {SORT: self.chosen}

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Both orders with their words, the usual one first and unsaid."""
        return [("", _LABELS[_NEWEST]), (_OLDEST, _LABELS[_OLDEST])]


def order_of(route: str, kept: Mapping[str, str], *, place: str) -> Order | None:
    """The order that an address asks for; None where the route knows only one.

    `kept` is what the address says but for the piece of the list.
    """
    known = get_args(get_type_hints(BY_NAME[route].terms.query).get(SORT))
    if not {_NEWEST, _OLDEST} <= set(known):
        return None
    chosen = kept.get(SORT, _NEWEST)
    others = {name: text for name, text in kept.items() if name != SORT}
    turned = others if chosen == _OLDEST else {**others, SORT: _OLDEST}
    return Order(chosen=chosen, turned=address(place, turned))


def address(place: str, kept: Mapping[str, str]) -> str:
    """A list as it is narrowed and ordered."""
    return f"{place}?{urlencode(kept)}" if kept else place
