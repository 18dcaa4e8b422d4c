"""What operators see of queues and decide about dead letters; to everyone else nothing is there."""

from collections.abc import AsyncIterator

import pytest
from tests.api.client import Client
from tests.support.dead_letters import Held, dead_letters
from tests.support.world import Org, World

from bursar.domain.access import Operator
from bursar.domain.tasks import Queue
from bursar.operations.members import NameOperator, name_operator
from bursar.runtime.app import Caller
from bursar.runtime.ids import new_uuid

ROOT = "/v1/queues"


@pytest.fixture
async def held(world: World) -> AsyncIterator[Held]:
    async with dead_letters(world) as made:
        yield made


@pytest.fixture
async def operator(anyone: Client, org: Org, world: World) -> Client:
    """Somebody who runs this installation."""
    person = anyone.bearing(org.access_token)
    email = (await person.get("/v1/auth/me")).value["email"]
    teller = Caller(app=world.app, org_id=None, actor=Operator("test"), request_id=str(new_uuid()))
    await teller.run(name_operator, NameOperator(email))
    return person


async def waiting(world: World, ids: list[int]) -> list[float]:
    """In how many seconds each of these that waits is due."""
    async with world.app.database.machine() as connection:
        rows = await connection.fetch(
            "SELECT extract(epoch FROM execute_after - updated) AS seconds FROM queue.pgqueuer"
            " WHERE id = ANY($1) AND status = 'queued' ORDER BY id",
            ids,
        )
    return [float(row["seconds"]) for row in rows]


async def test_others_find_nothing(owner: Client) -> None:
    # An owner of an organization does not run the installation, and is told of nothing.
    for path in ("", "/dead-letters", "/dead-letter-groups", "/agenda", "/decisions"):
        assert (await owner.get(ROOT + path)).status == 404
    body = {"queue": "payments", "reason": "x"}
    assert (await owner.post(f"{ROOT}/pause", body)).status == 404


async def test_dead_letters_are_shown(operator: Client, held: Held) -> None:
    # One by one with what they asked for, and together by what they have in common.
    letters = (await operator.get(f"{ROOT}/dead-letters?queue=payments")).value
    mine = [each for each in letters if each["jobId"] in held.ids]
    assert [each["error"] for each in mine] == ["PlannedFault: no"] * 3
    assert held.customer_id in mine[0]["payload"]
    assert mine[0]["traceback"] == "Trace"
    groups = (await operator.get(f"{ROOT}/dead-letter-groups")).value
    (group,) = [each for each in groups if each["error"] == "PlannedFault"]
    assert (group["kind"], group["letters"], group["queue"]) == ("SyncCustomer", 3, "payments")
    (load,) = [each for each in (await operator.get(ROOT)).value if each["queue"] == "payments"]
    assert load["held"] >= 3


async def test_alike_are_retried_at_a_rate(operator: Client, held: Held, world: World) -> None:
    # All of the group wait again, so many a second, and a second time there is nothing to retry.
    body = {"queue": "payments", "kind": "SyncCustomer", "error": "PlannedFault", "perSecond": 2}
    answer = await operator.post(f"{ROOT}/retry-alike", body)
    assert (answer.status, answer.value) == (200, {"letters": 3})
    assert await waiting(world, held.ids) == [0.0, 0.5, 1.0]
    assert (await operator.post(f"{ROOT}/retry-alike", body)).status == 404


async def test_one_is_discarded_with_a_reason(operator: Client, held: Held) -> None:
    # It is gone, once, and the record says who and why.
    body = {"jobIds": held.ids[:1], "reason": "the customer never was"}
    assert (await operator.post(f"{ROOT}/discard", body)).value == {"letters": 1}
    assert (await operator.post(f"{ROOT}/discard", body)).status == 404
    decision = (await operator.get(f"{ROOT}/decisions")).value[0]
    assert (decision["decision"], decision["jobIds"]) == ("discarded", held.ids[:1])
    assert decision["reason"] == "the customer never was"
    assert decision["decidedBy"].startswith("operator:usr_")


async def test_a_paused_queue_is_not_claimed(operator: Client, held: Held, world: World) -> None:
    # Nobody gets a job of it until it is resumed; said twice, it changes nothing.
    pause = {"queue": "usage", "reason": "look first"}
    assert (await operator.post(f"{ROOT}/pause", pause)).value == {"isChanged": True}
    assert (await operator.post(f"{ROOT}/pause", pause)).value == {"isChanged": False}
    (load,) = [each for each in (await operator.get(ROOT)).value if each["queue"] == "usage"]
    assert (load["isPaused"], load["pausedReason"]) == (True, "look first")
    retried = await operator.post(f"{ROOT}/retry", {"jobIds": held.ids})
    assert retried.value == {"letters": 3}
    async with world.app.database.machine() as connection:
        await connection.execute(
            "UPDATE queue.pgqueuer SET entrypoint = 'usage' WHERE id = ANY($1)", held.ids
        )
        assert await world.app.queue.claim(connection, Queue.USAGE, limit=10) == []
        resumed = await operator.post(f"{ROOT}/resume", {"queue": "usage"})
        assert resumed.value == {"isChanged": True}
        claimed = await world.app.queue.claim(connection, Queue.USAGE, limit=10)
        assert {job.claim.job_id for job in claimed} >= set(held.ids)
        for job in claimed:
            if job.claim.job_id not in held.ids:
                await world.app.queue.hand_back(connection, job.claim)


async def test_what_waits_for_its_time(operator: Client) -> None:
    # Counts by kind, over all organizations; nobody's names.
    for each in (await operator.get(f"{ROOT}/agenda")).value:
        assert set(each) == {"object", "kind", "waiting", "due", "firstAt"}
