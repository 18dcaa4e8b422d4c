"""A task of one organization that names another's things finds and changes nothing there."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import pytest
from tests.api.people import things_of
from tests.support.fingerprints import fingerprint
from tests.support.world import Org, World

from bursar.domain.refusals import NotFound
from bursar.domain.tasks import TASKS, Task
from bursar.jobs.handlers import HANDLERS

# What a field of a task names, by the prefix of its ids.
NAMED: Final = {
    "customer_id": "cust",
    "hold_id": "hld",
    "invoice_id": "inv",
    "invoice_ids": "inv",
    "mail_id": "mail",
    "meter_id": "mtr",
    "payment_id": "pay",
    "payment_method_id": "pm",
    "recurring_invoice_id": "rinv",
    "refund_id": "rfd",
    "subscription_id": "sub",
    "transfer_id": "txn",
}
OURS: Final[list[type[Any]]] = [
    task for task in TASKS if any(field in NAMED for field in task.__struct_fields__)
]


def test_every_task_with_an_id_of_ours_is_here() -> None:
    # A task of a new noun gets its line above; what a provider names is checked against our rows.
    rest = {field for task in TASKS for field in task.__struct_fields__} - NAMED.keys()
    assert rest <= {"event_id", "provider"}


@dataclass(frozen=True)
class Neighbors:
    """Two organizations; nothing is asked of either that it does, so they serve every task."""

    ours: Org
    theirs: Org
    foreign: dict[str, str]


@pytest.fixture(scope="module")
async def neighbors(world: World) -> Neighbors:
    ours, theirs = await world.org(), await world.org()
    made = Neighbors(ours, theirs, (await things_of(theirs)).by_prefix)
    await world.drain()
    return made


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
async def test_a_foreign_task(kind: type[Any], neighbors: Neighbors) -> None:
    # Refused as not found, or nothing to do; the other organization is as it was.
    ours, theirs = neighbors.ours, neighbors.theirs
    before = await fingerprint(theirs)
    unknown = "mail_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3d"
    ids: dict[str, object] = {}
    for field in kind.__struct_fields__:
        named = neighbors.foreign.get(NAMED[field], unknown)
        ids[field] = (named,) if field.endswith("_ids") else named
    task: Task = kind(**ids)
    with suppress(NotFound):
        await HANDLERS[kind](ours.world.system(ours.id), task)
    assert await fingerprint(theirs) == before
    assert (await fingerprint(ours)).keys() == before.keys()
