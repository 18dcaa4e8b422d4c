"""Turns rows into what the caller sees: own notes removed, ids expanded where asked.

An id expands to the object its prefix names, so every published expandable field works alike.
"""

from bursar_sandbox.core import lists
from bursar_sandbox.core.refusals import invalid
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work, public

DEPTH_MAX = 4
PATHS_MAX = 20
KINDS = {
    "ch_": "charge",
    "cs_": "checkout.session",
    "cus_": "customer",
    "du_": "dispute",
    "evt_": "event",
    "pi_": "payment_intent",
    "pm_": "payment_method",
    "po_": "payout",
    "py_": "charge",
    "re_": "refund",
    "seti_": "setup_intent",
    "txn_": "balance_transaction",
}
INCLUDED = frozenset({("charge", "refunds"), ("checkout.session", "line_items")})


def render(work: Work, row: Thing, paths: list[str]) -> Thing:
    """The row as an answer.

    Raises:
        Refusal: a path that cannot be expanded.
    """
    if len(paths) > PATHS_MAX:
        raise invalid(f"You may expand at most {PATHS_MAX} properties.", "expand")
    shown = _shown(row)
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEPTH_MAX + (steps[0] == "data"):
            message = f"You cannot expand more than {DEPTH_MAX} levels of a property: {path}"
            raise invalid(message, "expand")
        _expand(work, shown, steps, path)
    return shown


def _shown(row: Thing) -> Thing:
    if row.get("object") in {"list", "search_result"}:
        return {**row, "data": [public(item) for item in row["data"]]}
    return public(row)


def _expand(work: Work, row: Thing, steps: list[str], path: str) -> None:
    if not steps:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    name, rest = steps[0], steps[1:]
    if row.get("object") in {"list", "search_result"} and name == "data":
        for item in row["data"]:
            _expand(work, item, rest, path)
        return
    row[name] = _value(work, row, name, path)
    inner = row[name]
    if rest and isinstance(inner, dict):
        _expand(work, inner, rest, path)


def _value(work: Work, row: Thing, name: str, path: str) -> Thing | list[Thing] | None:
    kind = str(row.get("object"))
    if (kind, name) in INCLUDED:
        return _included(work, row, name)
    if name not in row:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    value = row[name]
    if isinstance(value, list):
        return [found for item in value if (found := _object(work, item, path)) is not None]
    return _object(work, value, path)


def _object(work: Work, value: object, path: str) -> Thing | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return dict(value)
    found = next((k for prefix, k in KINDS.items() if str(value).startswith(prefix)), None)
    row = work.get(found, str(value)) if found else None
    if row is None:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    return public(row)


def _included(work: Work, row: Thing, name: str) -> Thing:
    if name == "line_items":
        session = work.find("checkout.session", row["id"])
        return lists.answer(session["_line_items"], f"/v1/checkout/sessions/{row['id']}/line_items")
    rows = [public(r) for r in work.all("refund") if r["charge"] == row["id"]]
    return lists.answer(rows[::-1], f"/v1/charges/{row['id']}/refunds")
