"""The saved views of a list: links above it, and the way to save what it shows now.

A view is an address of the list under a name. Whose it is and who sees it is for its own route to
say; here it only leads back to the list.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from bursar.console.asking import BY_NAME, Question
from bursar.console.cells import visible
from bursar.console.nouns.house import VIEWS, place_of_view
from bursar.console.nouns.shape import Noun
from bursar.console.visits import Visit

_SHOWN_MAX: Final = 50


class View(Struct, frozen=True, kw_only=True):
    """One of them, as a link."""

    name: str
    href: str
    is_current: bool
    is_shared: bool


class Views(Struct, frozen=True, kw_only=True):
    """What stands above a list."""

    known: tuple[View, ...]
    is_plain: bool  # the list is as always
    save: str  # where the list as it is now is given a name; nothing while it is as always
    manage: str


async def views_of(visit: Visit, noun: Noun, kept: Mapping[str, str]) -> Views | None:
    """The views of a list, by name; None for whoever has none to see, and for their own list."""
    if noun is VIEWS or not visit.may(BY_NAME[VIEWS.rows].terms.needs):
        return None
    query = {"list": noun.slug, "limit": str(_SHOWN_MAX)}
    found = (await visit.asker.ask(Question(route=VIEWS.rows, query=query)))["data"]
    known = tuple(
        View(
            name=visible(each["name"]),
            href=f"{visit.root}/{place_of_view(each)}",
            is_current=dict(parse_qsl(each["query"])) == dict(kept),
            is_shared=each["shared"],
        )
        for each in sorted(found, key=lambda each: str(each["name"]).casefold())
    )
    asked = urlencode({"list": noun.slug, "query": urlencode(kept)})
    is_new = bool(kept) and not any(each.is_current for each in known)
    return Views(
        known=known,
        is_plain=not kept,
        save=f"{visit.root}/{VIEWS.slug}/-/save?{asked}" if is_new else "",
        manage=f"{visit.root}/{VIEWS.slug}?{urlencode({'list': noun.slug})}" if known else "",
    )
