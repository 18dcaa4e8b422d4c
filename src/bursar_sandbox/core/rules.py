"""Rules that fire a number of times or with a probability: what faults and moods have in common.

A rule is a row with `times` (what is left, nothing for ever) and `probability`; the seeded ids give
the draw, so a run with faults repeats exactly.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase

from bursar_sandbox.core.books import Books
from bursar_sandbox.core.ids import Ids
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import invalid
from bursar_sandbox.core.wire import Thing

PERCENT = 100


def fire(books: Books, kind: str, matches_rule: Callable[[Thing], bool], ids: Ids) -> list[Thing]:
    """The rules that act on this occasion; each one spends one of its times."""
    fired = []
    for rule in books.all(kind):
        if not matches_rule(rule):
            continue
        if rule["percent"] < PERCENT and ids.draw() * PERCENT >= rule["percent"]:
            continue
        if rule["times"] is not None:
            _spend(books, kind, rule)
        fired.append(rule)
    return fired


def _spend(books: Books, kind: str, rule: Thing) -> None:
    if rule["times"] <= 1:
        books.drop(kind, rule["id"])
    else:
        books.edit(kind, rule["id"])["times"] -= 1


def matches(patterns: str, text: str) -> bool:
    """Whether the text fits one of the comma-separated shell patterns."""
    return any(fnmatchcase(text, pattern.strip()) for pattern in patterns.split(","))


def occasions(params: Params) -> Thing:
    """How often a new rule fires: `times`, `probability` (0 to 1) or both."""
    times = params.integer("times")
    if times is not None and times < 1:
        raise invalid("times must be at least 1", "times")
    given = params.text("probability")
    return {"times": times, "percent": PERCENT if not given else _percent(given)}


def _percent(given: str) -> float:
    try:
        percent = float(given) * PERCENT
    except ValueError as problem:
        raise invalid("probability must be a number from 0 to 1", "probability") from problem
    if not 0 <= percent <= PERCENT:
        raise invalid("probability must be a number from 0 to 1", "probability")
    return percent
