"""Lists as Stripe pages them: newest first, cursors by id, filters by field and creation time."""

from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import invalid
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work

LIMIT_DEFAULT = 10
LIMIT_MAX = 100
COMPARISONS = ("gt", "gte", "lt", "lte")


def listing(work: Work, kind: str, params: Params, url: str, *fields: str) -> Thing:
    """A page of a kind, filtered by `created` and by equality on the named fields."""
    wanted = {name: value for name in fields if (value := params.text(name))}
    within = created_range(params)
    rows = [
        row
        for row in work.all(kind)
        if all(row.get(name) == value for name, value in wanted.items())
        and within[0] <= row["created"] <= within[1]
    ]
    return page(rows, params, url, kind)


def created_range(params: Params) -> tuple[int, int]:
    """The inclusive range of `created`, given as a number or as `created[gte]` and the like."""
    low, high = 0, 1 << 53
    if params.is_text("created"):
        exact = params.integer("created")
        return (low, high) if exact is None else (exact, exact)
    bounds = params.hash("created")
    for name in COMPARISONS:
        bound = bounds.integer(name)
        if bound is None:
            continue
        if name.startswith("g"):
            low = max(low, bound + (name == "gt"))
        else:
            high = min(high, bound - (name == "lt"))
    return low, high


def page(rows: list[Thing], params: Params, url: str, kind: str) -> Thing:
    """One page of rows that were given oldest first."""
    limit = params.integer("limit")
    if limit is not None and not 1 <= limit <= LIMIT_MAX:
        raise invalid(f"Invalid integer: limit must be between 1 and {LIMIT_MAX}", "limit")
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise invalid(
            "You may only specify one of these parameters: ending_before, starting_after."
        )
    size = limit or LIMIT_DEFAULT
    newest = rows[::-1]
    if before:
        head = newest[: _position(newest, before, "ending_before", kind)]
        return answer(head[-size:], url, has_more=len(head) > size)
    tail = newest[_position(newest, after, "starting_after", kind) + 1 :] if after else newest
    return answer(tail[:size], url, has_more=len(tail) > size)


def _position(rows: list[Thing], key: str, param: str, kind: str) -> int:
    for index, row in enumerate(rows):
        if row["id"] == key:
            return index
    raise invalid(f"No such {kind}: '{key}'", param, "resource_missing")


def answer(rows: list[Thing], url: str, *, has_more: bool = False) -> Thing:
    return {"object": "list", "data": rows, "has_more": has_more, "url": url}
