"""`/admin/queues`: work that waits and work that failed, for whoever runs this installation.

The routes tell nobody else that there is anything, and so does the page.
"""

from typing import Final

from bursar.console.asking import Question
from bursar.console.lists import table_of
from bursar.console.nouns.columns import count, flag, instant, text, wide
from bursar.console.nouns.shape import Part
from bursar.console.pages import inside
from bursar.console.visits import Visit
from bursar.runtime.idempotency import Answer

QUEUES: Final = "/admin/queues"
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


async def queues_page(visit: Visit) -> Answer:
    """Every queue, what is held and why, and what waits for its time.

    Raises:
        NotFound: somebody who does not run this installation.
    """
    told = [await visit.asker.ask(Question(route=part.route)) for part in _TABLES]
    tables = [
        table_of(visit, part, found["data"]) for part, found in zip(_TABLES, told, strict=True)
    ]
    return inside(visit, "queues.html", {"tables": tables})
