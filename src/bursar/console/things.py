"""The page of one thing: what it is, what belongs to it, and the buttons its state allows."""

import asyncio
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from bursar.console.asking import BY_NAME, Question
from bursar.console.cells import Eyes, Kind, plucked, short, visible, worded, written
from bursar.console.lists import PART, Table, cells_of, companions, inherited, own_table, table_of
from bursar.console.nouns.columns import status
from bursar.console.nouns.every import BY_ROUTE
from bursar.console.nouns.shape import Deed, Noun, Part
from bursar.console.pages import inside
from bursar.console.recipes import recipes
from bursar.console.visits import Visit
from bursar.domain.frozen import replace
from bursar.runtime.idempotency import Answer

ALONE: Final = "-"
"""Stands in an address where an id would: of what there is one of, or of what is not yet."""


async def thing_page(visit: Visit, noun: Noun, thing_id: str = "") -> Answer:
    """One thing with all that belongs to it."""
    visit.require(noun.needs)
    question = question_of(visit, noun, thing_id)
    thing = (await visit.asker.ask(question))["data"]
    place = place_of(visit, noun, thing_id)
    seen = [part for part in noun.parts if _is_seen(visit, part)]
    parts = await asyncio.gather(*(part_table(visit, part, thing, place=place) for part in seen))
    files = {name: f"files/{name}" for name, route in noun.files.items() if is_final(thing)}
    context: dict[str, object] = {
        "noun": noun,
        "place": place,
        "deed_place": place_of(visit, noun, ALONE if noun.is_single else thing_id),
        "list_place": f"{visit.root}/{noun.slug}" if noun.rows else None,
        "title": title_of(noun, thing),
        "state": written(status(of=noun.status), thing, visit.eyes),
        "facts": [
            cell for cell in cells_of(visit, noun.facts, thing) if cell.kind is not Kind.JSON
        ],
        "structures": [
            cell for cell in cells_of(visit, noun.facts, thing) if cell.kind is Kind.JSON
        ],
        "parts": parts,
        "deeds": [deed for deed in noun.deeds if is_offered(visit, deed, noun, thing)],
        "files": files,
        "leads": f"{visit.root}/{noun.leads(thing)}" if noun.leads else "",
        "has_explanation": noun.slug == "invoices",
        "is_under_way": bool(thing.get("progress")),
        "recipes": recipes(visit, question, _command(noun, thing_id)),
    }
    return inside(visit, "thing.html", context)


def _command(noun: Noun, thing_id: str) -> str:
    """How the command line shows it."""
    if noun.is_single:
        return noun.command
    return f"{noun.tells} {shlex.quote(thing_id)}" if noun.tells else ""


def question_of(visit: Visit, noun: Noun, thing_id: str) -> Question:
    """The question that the page of a thing asks; there may be only one such thing."""
    if noun.id_name == "organizationId":
        return Question(route=noun.item, ids={noun.id_name: str(visit.asker.org_id)})
    ids = {noun.id_name: thing_id} if noun.id_name else {}
    return Question(route=noun.item, ids=ids, query=companions(noun.item, noun.facts))


def place_of(visit: Visit, noun: Noun, thing_id: str) -> str:
    """Where the thing's page is."""
    return f"{visit.root}/{noun.slug}" + (f"/{thing_id}" if thing_id else "")


def title_of(noun: Noun, thing: Mapping[str, Any]) -> str:
    """What the thing is called."""
    found = [(name, plucked(thing, name)) for name in noun.headline]
    name, named = next(((name, str(value)) for name, value in found if value), ("", noun.one))
    if noun.is_single and named == thing.get("object"):
        return noun.title
    return short(named) if name == "id" else visible(named)


def is_final(thing: Mapping[str, Any]) -> bool:
    """Whether there is a document of it."""
    return bool(thing.get("invoiceNumber"))


def is_offered(visit: Visit, deed: Deed, noun: Noun, thing: Mapping[str, Any]) -> bool:
    """Whether somebody who may press it finds it of use now."""
    is_time = not deed.when or plucked(thing, noun.status) in deed.when
    is_use = not deed.only_if or bool(plucked(thing, deed.only_if))
    return visit.may(deed.needs) and is_time and is_use


def _is_seen(visit: Visit, part: Part) -> bool:
    return not part.route or visit.may(BY_NAME[part.route].terms.needs)


async def part_table(visit: Visit, part: Part, thing: Mapping[str, Any], *, place: str) -> Table:
    """One part: from the thing itself, or from what its route tells."""
    if not part.route:
        return own_table(visit, part, thing)
    query = {name: str(thing[of]) for name, of in part.query.items()} | dict(part.asks)
    names = BY_NAME[part.route].terms.query.__struct_encode_fields__
    size = {"limit": "10"} if "limit" in names else {"pageSize": "10"} if "page" in names else {}
    ids = {name: str(thing[of]) for name, of in part.ids.items()}
    extra = companions(part.route, part.columns)
    found = await visit.asker.ask(Question(route=part.route, ids=ids, query=query | size | extra))
    told = found["data"]
    if part.own:
        return table_of(visit, replace(part, route=""), inherited(told[part.own], told))
    if not isinstance(told, list):
        return table_of(visit, part, [told])
    meta = found.get("meta") or {}
    is_more = len(told) > PART or meta.get("nextCursor") or meta.get("totalPages", 0) > 1
    return table_of(visit, part, told, _rest(visit, part, query, place=place) if is_more else None)


def _rest(visit: Visit, part: Part, query: Mapping[str, str], *, place: str) -> str:
    """Where all of it is: on a page of its own, or in the list that has it, too."""
    if part.has_page:
        return f"{place}/parts/{part.slug}"
    return f"{visit.root}/{BY_ROUTE[part.route].slug}?{urlencode(query)}"


async def explanation_page(visit: Visit, noun: Noun, thing_id: str) -> Answer:
    """Why this amount: every line worked out again, step by step."""
    route = "explainInvoice"
    visit.require(BY_NAME[route].terms.needs)
    question = Question(route=route, ids={noun.id_name: thing_id})
    told = (await visit.asker.ask(question))["data"]
    eyes, currency = visit.eyes, told["currency"]
    lines = [
        {
            "description": visible(line["description"]),
            "steps": _steps(eyes, currency, line),
            "amount": eyes.money(line["amountCents"], currency),
            "discount": eyes.money(-line["discountCents"], currency)
            if line["discountCents"]
            else "",
            "total": eyes.money(line["totalCents"], currency),
        }
        for line in told["lines"]
    ]
    sums = [
        (label, eyes.money(told[name], currency))
        for label, name in _SUMS
        if told[name] or name == "totalCents"
    ]
    context: dict[str, object] = {
        "noun": noun,
        "back": place_of(visit, noun, thing_id),
        "is_matching": told["matches"],
        "lines": lines,
        "sums": sums,
        "recipes": recipes(visit, question),
    }
    return inside(visit, "explain.html", context)


_SUMS = (
    ("Subtotal", "subtotalCents"),
    ("Discounts", "discountCents"),
    ("Tax", "taxAmountCents"),
    ("Tax included", "taxIncludedCents"),
    ("Kept back as credit", "excessCents"),
    ("Total", "totalCents"),
)


def _steps(eyes: Eyes, currency: str, line: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the line was made of, by name."""
    plain = [
        ("quantity", eyes.count(line["quantity"])),
        ("unit price", eyes.price(line["unitAmountDecimal"], currency=currency)),
    ]
    derived, used = line["derivation"] or {}, line["usage"] or {}
    return [
        *plain,
        *(
            (worded(_spaced(name.removesuffix("Cents"))), _flat(eyes, currency, name, value))
            for name, value in derived.items()
            if name not in {"quantity", "usageEventIds"}
        ),
        *(("usage event", visible(each)) for each in used.get("sampleEventIds", ())),
    ]


def _spaced(name: str) -> str:
    return "".join(f" {each.lower()}" if each.isupper() else each for each in name)


def _flat(eyes: Eyes, currency: str, /, name: str, value: Any) -> str:
    match value:
        case dict():
            parts = (
                f"{_spaced(key)} {_flat(eyes, currency, key, each)}" for key, each in value.items()
            )
            return ", ".join(parts)
        case list():
            return "; ".join(_flat(eyes, currency, name, each) for each in value)
        case int() if name.endswith("Cents"):
            return eyes.money(value, currency)
        case str() if _INSTANT.fullmatch(value):
            return eyes.instant(value)
        case _:
            return visible(str(value))


_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]{5,15}Z")
