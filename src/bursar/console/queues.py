"""`/admin/queues`: work that waits and work that failed, for whoever runs this installation.

The routes tell nobody else that there is anything, and so does the page.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from bursar.console.asking import Question
from bursar.console.lists import Table, table_of
from bursar.console.nouns.columns import count, flag, instant, text, wide
from bursar.console.nouns.shape import Part
from bursar.console.pages import QUEUES, inside
from bursar.console.queue_deeds import leading_to
from bursar.console.visits import Visit
from bursar.domain.frozen import replace
from bursar.runtime.idempotency import Answer

_TABLES: Final = (
    Part(
        title="Queues",
        route="listQueues",
        columns=(
            text("Queue", of="queue"),
            count("Waiting", of="waiting"),
            count("Running", of="running"),
            count("Held", of="held"),
            count("Oldest, seconds", of="oldestSeconds"),
            count("Finished", of="finished"),
            count("Failed", of="failed"),
            count("Milliseconds each", of="meanMs"),
            flag("Paused", of="isPaused"),
        ),
    ),
    Part(
        title="Dead letters by error",
        route="listDeadLetterGroups",
        columns=(
            text("Queue", of="queue"),
            text("Task", of="kind"),
            wide("Error", of="error"),
            count("Letters", of="letters"),
            instant("Since", of="firstHeldAt"),
            instant("Last", of="lastHeldAt"),
        ),
        teaches="None: every task that ran got through.",
    ),
    Part(
        title="The latest dead letters",
        route="listDeadLetters",
        columns=(
            count("No.", of="jobId"),
            text("Queue", of="queue"),
            text("Task", of="kind"),
            wide("Error", of="error"),
            count("Attempts", of="attempts"),
            instant("Since", of="heldAt"),
        ),
        teaches="None.",
    ),
    Part(
        title="Due later",
        route="listAgenda",
        columns=(
            text("What", of="kind"),
            count("Waiting", of="waiting"),
            count("Due", of="due"),
            instant("First", of="firstAt"),
        ),
        teaches="Nothing waits for its time.",
    ),
)


_ALL: Final = "all"

Offered = Callable[[Mapping[str, Any]], tuple[tuple[str, str], ...]]


def _of_queue(queue: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return (leading_to("resume" if queue["isPaused"] else "pause", queue),)


def _of_letter(letter: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    about = {"jobIds": letter["jobId"]}
    return leading_to("retry", about), leading_to("discard", about)


_OFFERED: Final[Mapping[str, Offered]] = {
    "listQueues": _of_queue,
    "listDeadLetterGroups": lambda group: (leading_to("retry-alike", group),),
    "listDeadLetters": _of_letter,
}


async def queues_page(visit: Visit) -> Answer:
    """Every queue, what is held and why, and what waits for its time.

    Raises:
        NotFound: somebody who does not run this installation.
    """
    return inside(visit, "queues.html", {"tables": [await _table(visit, each) for each in _TABLES]})


def _as_asked(visit: Visit, part: Part, things: list[dict[str, Any]]) -> Table:
    """The first of its rows and where all are, or all of them, as the address says."""
    if visit.request.query_params.get(_ALL) == part.route:
        return table_of(visit, replace(part, route=""), things)
    shown = table_of(visit, part, things)
    if len(shown.rows) == len(things):
        return shown
    return replace(shown, more=f"{QUEUES}?{urlencode({_ALL: part.route})}")


async def _table(visit: Visit, part: Part) -> Table:
    """One of the tables, with what may be done to each of its rows."""
    things = (await visit.asker.ask(Question(route=part.route)))["data"]
    shown = _as_asked(visit, part, things)
    offered = _OFFERED.get(part.route)
    if offered is None:
        return shown
    rows = zip(shown.rows, things, strict=False)  # a page shows the first of them
    return replace(shown, rows=tuple(replace(row, acts=offered(each)) for row, each in rows))
