"""Search as Stripe offers it: a small query language over an index that lags behind the books.

By default an object is found an hour after its creation; whoever needs the truth lists instead.
"""

import re

from bursar_sandbox.core import lists
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import invalid
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work

LAG = "_search"
LAG_DEFAULT_S = 3_600
CLAUSES_MAX = 10
CLAUSE = re.compile(
    r"\s*(?P<negated>-)?(?:metadata\[(?P<mq>['\"])(?P<key>(?:(?!(?P=mq)).)+)(?P=mq)\]"
    r"|(?P<field>[a-z_]+))\s*(?P<op>:|~|>=|<=|>|<)\s*"
    r"(?:'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<number>-?[0-9]+)|(?P<null>null))\s*"
)
JOINT = re.compile(r"(AND|OR)\b", re.IGNORECASE)
FIELDS = ("amount", "created", "currency", "customer", "email", "name", "phone", "status")


def found(work: Work, kind: str, params: Params, url: str) -> Thing:
    """The page of a search: what matches and is old enough to be in the index."""
    clauses, joint = _parse(params.required("query"))
    limit = params.integer("limit") or lists.LIMIT_DEFAULT
    if not 1 <= limit <= lists.LIMIT_MAX:
        raise invalid(f"Invalid integer: limit must be between 1 and {lists.LIMIT_MAX}", "limit")
    start = _cursor(params.text("page"))
    horizon = work.now - lag_s(work)
    combine = any if joint == "OR" else all
    rows = [
        row
        for row in reversed(work.all(kind))
        if row["created"] <= horizon
        and not row.get("_is_deleted")
        and combine(_holds(row, clause) for clause in clauses)
    ]
    has_more = len(rows) > start + limit
    return {
        "object": "search_result",
        "data": rows[start : start + limit],
        "has_more": has_more,
        "next_page": f"page_{start + limit}" if has_more else None,
        "url": url,
    }


def lag_s(work: Work) -> int:
    row = work.get(LAG, LAG)
    return int(row["seconds"]) if row else LAG_DEFAULT_S


def _cursor(page: str | None) -> int:
    if not page:
        return 0
    digits = page.removeprefix("page_")
    if not digits.isascii() or not digits.isdigit():
        raise invalid("Invalid page.", "page")
    return int(digits)


def _parse(query: str) -> tuple[list[re.Match[str]], str]:
    clauses: list[re.Match[str]] = []
    joints: set[str] = set()
    position = 0
    while len(clauses) < CLAUSES_MAX:
        clause = CLAUSE.match(query, position)
        if clause is None or (clause["field"] and clause["field"] not in FIELDS):
            break
        clauses.append(clause)
        position = clause.end()
        joint = JOINT.match(query, position)
        if position == len(query) and len(joints) <= 1:
            return clauses, next(iter(joints), "AND")
        if joint is None:
            break
        joints.add(joint[1].upper())
        position = joint.end()
    raise invalid(f"We were unable to parse your search query: {query[:200]}", "query")


def _holds(row: Thing, clause: re.Match[str]) -> bool:
    actual = row["metadata"].get(clause["key"]) if clause["key"] else row.get(clause["field"])
    holds = _compares(actual, clause)
    return not holds if clause["negated"] else holds


def _compares(actual: object, clause: re.Match[str]) -> bool:
    if clause["null"]:
        return actual is None
    texts = [clause[name] for name in ("single", "double", "number") if clause[name] is not None]
    wanted, operator = texts[0], clause["op"]
    if actual is None:
        return False
    if operator == ":":
        return str(actual).lower() == wanted.lower()
    if operator == "~":
        return wanted.lower() in str(actual).lower()
    if not isinstance(actual, int) or not wanted.lstrip("-").isdigit():
        return False
    number = int(wanted)
    return {
        ">": actual > number,
        ">=": actual >= number,
        "<": actual < number,
        "<=": actual <= number,
    }[operator]
