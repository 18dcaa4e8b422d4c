"""Names to choose from, where a form wants the id of something that is there."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from bursar.console.asking import Question
from bursar.console.cells import visible
from bursar.console.fields import Form
from bursar.console.nouns.every import BY_SLUG
from bursar.console.visits import Visit

Suggestions = tuple[tuple[str, str], ...]

_KNOWN: Final[Mapping[str, str]] = {
    "customerId": "customers",
    "planId": "plans",
    "meterId": "meters",
    "couponId": "coupons",
    "toWalletId": "wallets",
    "invoiceId": "invoices",
}
_SHOWN_MAX: Final = 100


async def suggestions(visit: Visit, form: Form) -> dict[str, Suggestions]:
    """The newest of each kind that the form asks for, with their names."""
    names = [
        each.name
        for each in form.entries
        if each.kind == "text"
        and each.name in _KNOWN
        and visit.may(BY_SLUG[_KNOWN[each.name]].needs)
    ]
    found = await asyncio.gather(*(_newest(visit, _KNOWN[name]) for name in names))
    return dict(zip(names, found, strict=True))


async def _newest(visit: Visit, slug: str) -> Suggestions:
    query = {"limit": str(_SHOWN_MAX)}
    told = await visit.asker.ask(Question(route=BY_SLUG[slug].rows, query=query))
    return tuple((thing["id"], _name(thing)) for thing in told["data"])


def _name(thing: Mapping[str, Any]) -> str:
    named = thing.get("name") or thing.get("invoiceNumber") or thing["id"]
    beside = thing.get("email") or thing.get("status") or ""
    return visible(f"{named} · {beside}" if beside else str(named))
