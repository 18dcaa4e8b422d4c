"""The list page of any noun: filters in the address, a piece at a time, a way on.

It is the noun's own list route that is asked, so its filters, its order and its limits are those of
the API; the page adds links and words.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct

from bursar.api.queries import read_query
from bursar.console.asking import BY_NAME, Question
from bursar.console.cells import ABSENT, Cell, Column, Kind, short, written
from bursar.console.nouns.every import BY_PREFIX
from bursar.console.nouns.shape import Filter, Noun, Part
from bursar.console.orders import SORT, Order, address, order_of
from bursar.console.pages import inside
from bursar.console.recipes import list_recipes
from bursar.console.views import views_of
from bursar.console.visits import Visit
from bursar.domain.frozen import replace
from bursar.runtime.idempotency import Answer

PIECE: Final = 25
PART: Final = 10
PAGED: Final = ("after", "page")
_DATED: Final = ("createdAt[gte]", "createdAt[lt]", "at")


class Row(Struct, frozen=True, kw_only=True):
    """One thing of a list."""

    cells: tuple[Cell, ...]
    href: str | None = None
    parts: tuple["Table", ...] = ()
    acts: tuple[tuple[str, str], ...] = ()  # what may be done to it: a label, and where


class Table(Struct, frozen=True, kw_only=True):
    """Rows under their heads."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    teaches: str
    more: str | None = None
    order: Order | None = None


async def list_page(visit: Visit, noun: Noun) -> Answer:
    """A list, narrowed as the address says."""
    visit.require(noun.needs)
    chosen = chosen_of(visit)
    place = f"{visit.root}/{noun.slug}"
    kept = {name: text for name, text in chosen.items() if name not in PAGED}
    asked, order = asked_of(visit, noun.rows, chosen, place=place)
    read_query(urlencode(asked).encode(), BY_NAME[noun.rows].terms.query)
    extra = piece_of(noun.rows, chosen) | companions(noun.rows, noun.columns)
    question = Question(route=noun.rows, query=asked | extra)
    found, views = await asyncio.gather(visit.asker.ask(question), views_of(visit, noun, kept))
    table = Table(
        title=noun.title,
        columns=noun.columns,
        rows=tuple(row_of(visit, noun, thing) for thing in found["data"]),
        teaches=noun.teaches,
        more=next_of(place, kept, found.get("meta") or {}),
        order=order,
    )
    narrowed = kept.keys() - {SORT}
    context: dict[str, object] = {
        "noun": noun,
        "place": place,
        "shown": table,
        "filters": filled(noun.filters, kept),
        "is_narrowed": bool(narrowed),
        "is_first": chosen == kept,
        "first": address(place, kept),
        "makes": [deed for deed in noun.makes if visit.may(deed.needs)],
        "export": address(f"{place}/-/csv", kept),
        "views": views,
        "recipes": list_recipes(visit, noun, question),
    }
    return inside(visit, "list.html", context)


def asked_of(
    visit: Visit, route: str, chosen: Mapping[str, str], *, place: str
) -> tuple[dict[str, str], Order | None]:
    """What a route is asked for an address, and the order that this means."""
    kept = {name: text for name, text in chosen.items() if name not in PAGED}
    order = order_of(route, kept, place=place)
    asked = {
        name: visit.eyes.moment(text) if name in _DATED else text for name, text in chosen.items()
    }
    return asked | (order.query if order else {}), order


def chosen_of(visit: Visit) -> dict[str, str]:
    """What the address says of filters and place; an empty field of the form says nothing."""
    return {name: text for name, text in visit.request.query_params.items() if text}


COMPANIONS: Final = {"customerId": "customer", "planId": "plan", "invoiceId": "invoice"}


def companions(route: str, columns: tuple[Column, ...]) -> dict[str, str]:
    """What a route is asked to bring along, so that names stand where ids would."""
    if "expand" not in BY_NAME[route].terms.query.__struct_encode_fields__:
        return {}
    named = [COMPANIONS[each.field] for each in columns if each.field in COMPANIONS]
    return {"expand": ",".join(dict.fromkeys(named))} if named else {}


def piece_of(route: str, chosen: Mapping[str, str]) -> dict[str, str]:
    """How much of a list is asked for, in the words that its route knows."""
    names = BY_NAME[route].terms.query.__struct_encode_fields__
    if "after" in names:
        return {"limit": str(PIECE)}
    return (
        {"pageSize": str(PIECE)} | ({} if "page" in chosen else {"page": "1"})
        if "page" in names
        else {}
    )


def next_of(place: str, kept: Mapping[str, str], meta: Mapping[str, Any]) -> str | None:
    """Where the next piece is, if there is one."""
    cursor = meta.get("nextCursor")
    if cursor:
        return address(place, {**kept, "after": cursor})
    page, pages = meta.get("page", 0), meta.get("totalPages", 0)
    return address(place, {**kept, "page": str(page + 1)}) if page < pages else None


def filled(filters: tuple[Filter, ...], chosen: Mapping[str, str]) -> list[dict[str, object]]:
    """The filters as fields, with what was chosen."""
    return [{"filter": each, "value": chosen.get(each.name, "")} for each in filters]


def row_of(visit: Visit, noun: Noun, thing: Mapping[str, Any]) -> Row:
    """One line of a noun's list."""
    href = f"{visit.root}/{noun.slug}/{thing[noun.id_field]}" if noun.item else None
    parts = tuple(own_table(visit, part, thing) for part in noun.parts if not noun.item)
    return Row(
        cells=_led(cells_of(visit, noun.columns, thing), thing, href), href=href, parts=parts
    )


def _led(cells: tuple[Cell, ...], thing: Mapping[str, Any], href: str | None) -> tuple[Cell, ...]:
    """The same cells; the first, which leads somewhere, is never empty."""
    if href is None or cells[0].text != ABSENT:
        return cells
    return (replace(cells[0], text=short(str(thing["id"]))), *cells[1:])


def own_table(visit: Visit, part: Part, thing: Mapping[str, Any]) -> Table:
    """The table that a thing brings along."""
    return table_of(visit, part, inherited(thing.get(part.own) or [], thing))


def inherited(rows: list[dict[str, Any]], thing: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows inside a thing are in its currency."""
    return [{"currency": thing["currency"], **row} for row in rows] if "currency" in thing else rows


def table_of(
    visit: Visit, part: Part, things: list[dict[str, Any]], more: str | None = None
) -> Table:
    """A part of a page, written."""
    rows = []
    for thing in things[:PART] if part.route else things:
        href = f"{visit.root}/{part.noun}/{thing['id']}" if part.noun else None
        rows.append(Row(cells=_led(cells_of(visit, part.columns, thing), thing, href), href=href))
    return Table(
        title=part.title, columns=part.columns, rows=tuple(rows), teaches=part.teaches, more=more
    )


def cells_of(
    visit: Visit, columns: tuple[Column, ...], thing: Mapping[str, Any]
) -> tuple[Cell, ...]:
    """A thing's values, written, with ids that lead somewhere."""
    return tuple(_linked(visit, written(column, thing, visit.eyes)) for column in columns)


def _linked(visit: Visit, cell: Cell) -> Cell:
    if cell.kind is Kind.LINK and cell.hint is not None:
        return replace(cell, href=cell.hint)
    if cell.kind is not Kind.REF or cell.hint is None:
        return cell
    noun = BY_PREFIX.get(cell.hint.partition("_")[0])
    if noun is None or not visit.may(noun.needs):
        return cell
    return replace(cell, href=f"{visit.root}/{noun.slug}/{cell.hint}")
