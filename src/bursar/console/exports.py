"""A list to take away: what the page lists, with its filters and in its order, as CSV.

It is the noun's own list route that is asked, piece by piece, so nothing leaves that its page would
not show. A very long list ends at a stated length, and the name of the file says so.
"""

from typing import Any, Final

from bursar.api.trace import traced
from bursar.api.v1.exports import CSV, csv_of
from bursar.console.asking import BY_NAME, Question
from bursar.console.lists import PAGED, asked_of, chosen_of
from bursar.console.nouns.shape import Noun
from bursar.console.visits import Visit
from bursar.domain.frozen import replace
from bursar.runtime.idempotency import Answer

ROWS_MAX: Final = 10_000
_PIECE: Final = 100
_WEIGHS_LIKE: Final = "exportInvoices"
_LINES: Final = "lines"


async def list_file(visit: Visit, noun: Noun) -> Answer:
    """Every row that the address leaves, up to the most that there may be."""
    visit.require(noun.needs)
    return await file_of(visit, Question(route=noun.rows), name=noun.slug)


async def file_of(visit: Visit, question: Question, *, name: str) -> Answer:
    """The same of any list that a question asks for."""
    asker, scope = visit.asker, visit.request.scope
    route = BY_NAME[_WEIGHS_LIKE]
    await asker.edge.limits.admit_actor(asker.credential.actor, route, scope, traced(scope))
    rows, is_whole = await _gathered(visit, question)
    name = name if is_whole else f"{name}-first-{len(rows)}"
    told = csv_of({at: row[at] for at in row if at != _LINES} for row in rows)
    headers = (
        ("Content-Type", f"{CSV}; charset=utf-8"),
        ("Content-Disposition", f'attachment; filename="{name}.csv"'),
    )
    return Answer(200, told, headers)


async def _gathered(visit: Visit, question: Question) -> tuple[list[dict[str, Any]], bool]:
    """The rows, and whether they are all."""
    kept = {name: text for name, text in chosen_of(visit).items() if name not in PAGED}
    asked, _ = asked_of(visit, question.route, kept, place="")
    names = BY_NAME[question.route].terms.query.__struct_encode_fields__
    rows: list[dict[str, Any]] = []
    way = _first(names)
    while True:
        found = await visit.asker.ask(replace(question, query=asked | way))
        rows += found["data"]
        onward = _onward(way, found.get("meta") or {})
        if onward is None or len(rows) >= ROWS_MAX:
            return rows[:ROWS_MAX], onward is None and len(rows) <= ROWS_MAX
        way = onward


def _first(names: tuple[str, ...]) -> dict[str, str]:
    """The first piece of a list that has pieces."""
    if "after" in names:
        return {"limit": str(_PIECE)}
    return {"page": "1", "pageSize": str(_PIECE)} if "page" in names else {}


def _onward(way: dict[str, str], meta: dict[str, Any]) -> dict[str, str] | None:
    """The piece after this one."""
    if meta.get("nextCursor"):
        return way | {"after": meta["nextCursor"]}
    page = meta.get("page", 0)
    return way | {"page": str(page + 1)} if page < meta.get("totalPages", 0) else None
