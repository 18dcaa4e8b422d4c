"""Errands of who runs the installation, for the tour: queues are held up, dead letters decided."""

from typing import Final

from tests.api.client import Client
from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Request

from bursar.domain.access import Operator
from bursar.domain.tasks import SyncCustomer
from bursar.operations.members import NameOperator, name_operator
from bursar.runtime.app import Caller
from bursar.runtime.ids import new_uuid

PATH: Final = "/v1/queues"
QUEUE: Final = "usage"
GONE: Final = (404,)  # who asks again finds nothing left to decide about
DECIDED: Final = "SELECT count(*) FROM queue.decisions WHERE $1 = ANY(jobs)"
PAUSED: Final = "SELECT count(*) FROM queue.pauses WHERE entrypoint = $1"
RESUMED: Final = "SELECT 1 - count(*) FROM queue.pauses WHERE entrypoint = $1"
FAILED: Final = """
WITH held AS (
    UPDATE queue.pgqueuer SET status = 'failed', attempts = 4
    WHERE status = 'queued' AND position(convert_to($1, 'UTF8') IN payload) > 0 RETURNING id
)
INSERT INTO queue.pgqueuer_log (job_id, status, priority, entrypoint, traceback)
SELECT id, 'failed', 0, 'payments', $2::jsonb FROM held RETURNING job_id
"""


async def _operator(stage: Stage) -> Client:
    org = await stage.world.org()
    person = stage.http.bearing(org.access_token)
    email = (await person.get("/v1/auth/me")).value["email"]
    teller = Caller(
        app=stage.world.app, org_id=None, actor=Operator("tour"), request_id=str(new_uuid())
    )
    await teller.run(name_operator, NameOperator(email))
    return person


async def _dead_letter(stage: Stage) -> tuple[int, str]:
    """A task that failed for the last time, and the error it failed with."""
    customer, error = await stage.org.customer(token=None), f"Fault{new_uuid().hex}"
    trace = f'{{"exception_type": "{error}", "exception_message": "", "traceback": ""}}'
    async with stage.world.app.database.machine() as connection:
        task = SyncCustomer(customer.id)
        await stage.world.app.queue.enqueue(connection, stage.org.id, [task])
        job_id: int = await connection.fetchval(FAILED, customer.id, trace)
    return job_id, error


async def _retry(stage: Stage) -> Request:
    (job_id, _), operator = await _dead_letter(stage), await _operator(stage)
    body = {"jobIds": [job_id]}
    return Request(operator, "POST", f"{PATH}/retry", body, DECIDED, job_id, again=GONE)


async def _retry_alike(stage: Stage) -> Request:
    (job_id, error), operator = await _dead_letter(stage), await _operator(stage)
    body = {"queue": "payments", "kind": "SyncCustomer", "error": error}
    return Request(operator, "POST", f"{PATH}/retry-alike", body, DECIDED, job_id, again=GONE)


async def _discard(stage: Stage) -> Request:
    (job_id, _), operator = await _dead_letter(stage), await _operator(stage)
    body = {"jobIds": [job_id], "reason": "tour"}
    return Request(operator, "POST", f"{PATH}/discard", body, DECIDED, job_id, again=GONE)


async def _pause(stage: Stage) -> Request:
    operator = await _operator(stage)
    await operator.post(f"{PATH}/resume", {"queue": QUEUE})
    body = {"queue": QUEUE, "reason": "tour"}
    return Request(operator, "POST", f"{PATH}/pause", body, PAUSED, QUEUE)


async def _resume(stage: Stage) -> Request:
    paused = await _pause(stage)
    assert (await paused.client.post(paused.path, paused.body)).status == 200
    return Request(paused.client, "POST", f"{PATH}/resume", {"queue": QUEUE}, RESUMED, QUEUE)


OPERATOR_ERRANDS: Final[tuple[Arrange, ...]] = (_retry, _retry_alike, _discard, _pause, _resume)
