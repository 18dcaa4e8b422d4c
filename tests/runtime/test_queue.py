"""The task queue on a real PostgreSQL: who gets a job, who may end it, what is never lost."""

import asyncio
import re
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from pgqueuer.adapters.persistence.schema_ddl import render_install
from pgqueuer.domain.settings import DBSettings
from tests.runtime.conftest import QUEUE_DDL, Machine

from bursar.domain.ids import CustomerId, OrgId, PaymentId, print_id
from bursar.domain.queues import Held
from bursar.domain.tasks import (
    QUEUE_RULES,
    ConfirmPayment,
    HandleProviderEvent,
    Queue,
    SyncCustomer,
    Task,
)
from bursar.reads.queues import Q as SEEN
from bursar.runtime.connections import Connection
from bursar.runtime.ids import new_uuid
from bursar.runtime.queue import (
    DEATHS_MAX,
    Claimed,
    TaskClaim,
    TaskQueue,
    TaskTooLarge,
    Verdict,
    backoff,
    held_of,
)
from bursar.store.queues import Q as DECIDED

AT_ONCE = timedelta(0)
AN_HOUR = timedelta(hours=1)


def an_org() -> OrgId:
    return OrgId(print_id("org", new_uuid()))


def confirm(number: int = 1) -> ConfirmPayment:
    return ConfirmPayment(PaymentId(f"pay_{number}"))


async def claim_one(
    tasks: TaskQueue, connection: Connection, stale_after: timedelta = AN_HOUR
) -> Claimed:
    (job,) = await tasks.claim(connection, Queue.PAYMENTS, limit=1, stale_after=stale_after)
    return job


async def held_now(connection: Connection) -> list[Held]:
    """Dead letters, as operators see them."""
    return [held_of(row) for row in await connection.fetch(SEEN.letters.text, None, 100)]


async def requeued(connection: Connection, job_id: int) -> int:
    """How many jobs a retry by an operator gave their attempts again."""
    return len(await connection.fetch(DECIDED.retry_letters.text, [job_id], AT_ONCE))


async def claim_all(tasks: TaskQueue, connection: Connection, **options: timedelta) -> list[Task]:
    found = await tasks.claim(connection, Queue.PAYMENTS, limit=100, stale_after=AN_HOUR, **options)
    return [job.task for job in found]


async def rows(connection: Connection) -> int:
    counted = await connection.fetchval(
        "SELECT (SELECT count(*) FROM queue.pgqueuer) + (SELECT count(*) FROM queue.claims)"
    )
    assert isinstance(counted, int)
    return counted


def statements(ddl: str) -> list[str]:
    """Each statement on one line, spelled alike whatever its line breaks."""
    bare = re.sub(r"--[^\n]*", "", ddl)
    one_line = (re.sub(r"\s+", " ", one) for one in bare.split(";"))
    return [re.sub(r" ?([()]) ?", r"\1", one).strip() for one in one_line if one.strip()]


def test_the_tables_are_pgqueuers() -> None:
    # What PgQueuer's release would make is made, but for the trigger that calls NOTIFY and the
    # indexes for its own way of claiming.
    settings = DBSettings(db_schema="queue")
    rendered, _, _ = render_install(settings, create_schema=False).partition("CREATE FUNCTION")
    ours = statements(QUEUE_DDL.read_text("utf-8"))
    missing = [one.split()[2] for one in statements(rendered) if one not in ours]
    assert missing == [
        "pgqueuer_ep_ea_idx",
        "pgqueuer_ep_prio_id_idx",
        "pgqueuer_priority_id_id1_idx",
    ]
    assert not [one for one in ours if "TRIGGER" in one or "NOTIFY" in one.upper()]


async def test_nothing_listens_to_the_table(machine: Machine) -> None:
    # No trigger stands on any table of the queue, so no transaction of ours calls NOTIFY.
    triggers = await machine.as_superuser(
        "SELECT count(*) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid "
        "WHERE c.relnamespace = 'queue'::regnamespace AND NOT t.tgisinternal"
    )
    assert triggers == 0


async def test_tasks_come_out_as_they_went_in(tasks: TaskQueue, connection: Connection) -> None:
    # Every field of a task, and its organization or none, survive the queue.
    org_id = an_org()
    await tasks.enqueue(connection, org_id, [SyncCustomer(CustomerId("cust_ü")), confirm()])
    await tasks.enqueue(connection, None, [HandleProviderEvent("stripe", "evt_1")])
    found = await tasks.claim(connection, Queue.PAYMENTS, limit=10)
    assert {(job.org_id, job.task) for job in found} == {
        (org_id, SyncCustomer(CustomerId("cust_ü"))),
        (org_id, confirm()),
        (None, HandleProviderEvent("stripe", "evt_1")),
    }
    assert {(job.queue, job.attempts, job.deaths) for job in found} == {(Queue.PAYMENTS, 0, 0)}
    assert await tasks.claim(connection, Queue.INVOICES, limit=10) == []


async def test_tasks_share_the_fate_of_the_transaction(
    tasks: TaskQueue, connection: Connection
) -> None:
    # A task exists exactly when the transaction that asked for it commits.
    transaction = connection.transaction()
    await transaction.start()
    await tasks.enqueue(connection, an_org(), [confirm()])
    await transaction.rollback()
    assert await claim_all(tasks, connection) == []
    async with connection.transaction():
        await tasks.enqueue(connection, an_org(), [confirm()])
    assert await claim_all(tasks, connection) == [confirm()]


async def test_delay_and_ahead(tasks: TaskQueue, connection: Connection) -> None:
    # A delayed task waits; only who asks for what is due within an hour sees it now.
    await tasks.enqueue(connection, an_org(), [confirm()], timedelta(minutes=50))
    assert await claim_all(tasks, connection) == []
    assert await claim_all(tasks, connection, ahead=AN_HOUR) == [confirm()]


async def test_too_large_a_task_is_refused(tasks: TaskQueue, connection: Connection) -> None:
    # A payload over 8 kB never reaches the table, and takes its neighbors with it.
    big = HandleProviderEvent("stripe", "e" * 9_000)
    with pytest.raises(TaskTooLarge):
        await tasks.enqueue(connection, an_org(), [confirm(), big])
    assert await rows(connection) == 0


async def test_completed_is_gone(tasks: TaskQueue, connection: Connection) -> None:
    # A completed job leaves no row and no claim, and cannot be completed twice.
    await tasks.enqueue(connection, an_org(), [confirm()])
    job = await claim_one(tasks, connection)
    assert await tasks.complete(connection, job.claim)
    assert not await tasks.complete(connection, job.claim)
    assert await rows(connection) == 0


async def test_stale_tokens_end_nothing(tasks: TaskQueue, connection: Connection) -> None:
    # Whoever lost a job changes nothing about it: not its end, its retry, its heartbeat.
    await tasks.enqueue(connection, an_org(), [confirm()])
    lost = await claim_one(tasks, connection)
    holder = await claim_one(tasks, connection, stale_after=AT_ONCE)
    assert (holder.claim.job_id, holder.deaths) == (lost.claim.job_id, 1)
    assert holder.claim.token != lost.claim.token
    assert not await tasks.complete(connection, lost.claim)
    assert not await tasks.retry(connection, lost.claim, AT_ONCE, ValueError("late"))
    assert not await tasks.hold(connection, lost.claim, ValueError("late"))
    assert not await tasks.hand_back(connection, lost.claim)
    assert await tasks.fail(connection, lost, ValueError("late")) is Verdict.LOST
    both = [lost.claim, holder.claim]
    assert await tasks.heartbeat(connection, [lost.claim]) == frozenset()
    assert await tasks.heartbeat(connection, both) == {holder.claim}
    assert await tasks.complete(connection, holder.claim)


async def test_silence_is_taken_over_and_heartbeats_are_not(
    tasks: TaskQueue, connection: Connection
) -> None:
    # 30 s without a heartbeat give a job away; 29 s do not, nor does a heartbeat just now.
    await tasks.enqueue(connection, an_org(), [confirm()])
    job = await claim_one(tasks, connection)
    silence = "UPDATE queue.pgqueuer SET heartbeat = now() - $1::interval"
    await connection.execute(silence, timedelta(seconds=29))
    assert await tasks.claim(connection, Queue.PAYMENTS, limit=5) == []
    await connection.execute(silence, timedelta(seconds=31))
    assert await tasks.heartbeat(connection, [job.claim]) == {job.claim}
    assert await tasks.claim(connection, Queue.PAYMENTS, limit=5) == []
    await connection.execute(silence, timedelta(seconds=31))
    (taken,) = await tasks.claim(connection, Queue.PAYMENTS, limit=5)
    assert taken.deaths == 1


async def test_a_sign_of_life_from_the_future_is_none(
    tasks: TaskQueue, connection: Connection
) -> None:
    # The clock was put back by more than a silence: the job is taken over, as after a jump ahead.
    await tasks.enqueue(connection, an_org(), [confirm()])
    await claim_one(tasks, connection)
    ahead = "UPDATE queue.pgqueuer SET heartbeat = now() + $1::interval"
    await connection.execute(ahead, timedelta(seconds=29))
    assert await tasks.claim(connection, Queue.PAYMENTS, limit=5) == []
    await connection.execute(ahead, timedelta(days=3_650))
    (taken,) = await tasks.claim(connection, Queue.PAYMENTS, limit=5)
    assert taken.deaths == 1


async def test_a_clock_that_was_put_back_delays_nothing(
    tasks: TaskQueue, connection: Connection
) -> None:
    # What was left meanwhile is due as it was meant; what waits for its time by this clock stays.
    for delay in (AT_ONCE, AN_HOUR):
        await tasks.enqueue(connection, an_org(), [confirm()], delay)
    ahead = timedelta(days=3_650)
    await connection.execute(
        "UPDATE queue.pgqueuer SET execute_after = execute_after + $1, updated = updated + $1",
        ahead,
    )
    await tasks.enqueue(connection, an_org(), [confirm(2)], 2 * AN_HOUR)
    assert await claim_all(tasks, connection, ahead=3 * AN_HOUR) == [confirm(2)]
    assert await tasks.set_right(connection) == 2
    assert await tasks.set_right(connection) == 0
    assert await claim_all(tasks, connection) == [confirm()]
    assert await claim_all(tasks, connection, ahead=AN_HOUR / 2) == []
    assert await claim_all(tasks, connection, ahead=AN_HOUR) == [confirm()]


async def test_a_running_transaction_keeps_its_job(
    tasks: TaskQueue, machine: Machine, connection: Connection
) -> None:
    # A silent worker inside the transaction that checked its token is not overtaken, nor waited
    # for: another job goes to the claimer at once.
    await tasks.enqueue(connection, an_org(), [confirm(1)])
    job = await claim_one(tasks, connection)
    await tasks.enqueue(connection, an_org(), [confirm(2)])
    async with machine.machine() as other, other.transaction():
        await other.fetchval(
            "SELECT 1 FROM queue.claims WHERE job_id = $1 FOR SHARE", job.claim.job_id
        )
        async with asyncio.timeout(5):
            found = await tasks.claim(connection, Queue.PAYMENTS, limit=5, stale_after=AT_ONCE)
        assert [one.task for one in found] == [confirm(2)]
    assert await tasks.complete(connection, job.claim)


async def test_attempts_run_out_into_a_dead_letter(
    tasks: TaskQueue, connection: Connection
) -> None:
    # A task that always fails runs as often as its queue allows, then is held with its traceback.
    org_id = an_org()
    await tasks.enqueue(connection, org_id, [confirm()])
    verdicts = []
    for _ in range(QUEUE_RULES[Queue.PAYMENTS].attempts_max):
        (job,) = await tasks.claim(connection, Queue.PAYMENTS, limit=1, ahead=AN_HOUR)
        try:
            raise ValueError("card sk_live_abcdefgh1234")  # noqa: TRY301  # a traceback needs a raise
        except ValueError as error:
            verdicts.append(await tasks.fail(connection, job, error))
    assert verdicts == [Verdict.RETRIED] * 4 + [Verdict.HELD]
    assert await claim_all(tasks, connection, ahead=AN_HOUR) == []
    (held,) = await held_now(connection)
    assert (held.kind, held.org_id, held.queue) == ("ConfirmPayment", org_id, Queue.PAYMENTS)
    assert held.attempts == 5
    assert held.error.startswith("ValueError: card sk_live_")
    assert "test_queue.py" in held.traceback
    assert "abcdefgh1234" not in held.error + held.traceback


def test_backoff_doubles_within_a_tenth() -> None:
    # 15 s, 30 s, 60 s, 120 s, each within ±10 %, and not all the same.
    rule = QUEUE_RULES[Queue.PAYMENTS]
    for attempts, expected in enumerate((15, 30, 60, 120)):
        drawn = {backoff(rule, attempts, TaskClaim(1, uuid4())).total_seconds() for _ in range(200)}
        assert expected * 0.9 <= min(drawn) < expected < max(drawn) <= expected * 1.1
        assert len(drawn) > 20


async def test_retry_waits_and_counts_no_death(tasks: TaskQueue, connection: Connection) -> None:
    # After a failure the job rests for its backoff; a failure is not a death.
    await tasks.enqueue(connection, an_org(), [confirm()])
    job = await claim_one(tasks, connection)
    assert await tasks.fail(connection, job, ValueError("no")) is Verdict.RETRIED
    assert await claim_all(tasks, connection, ahead=timedelta(seconds=13)) == []
    (again,) = await tasks.claim(connection, Queue.PAYMENTS, limit=1, ahead=timedelta(seconds=17))
    assert (again.attempts, again.deaths) == (1, 0)


async def test_poison_is_held_before_it_kills_again(
    tasks: TaskQueue, connection: Connection
) -> None:
    # A job whose workers die is claimed three times; the fourth claim holds it, others go on.
    await tasks.enqueue(connection, an_org(), [confirm(1)])
    for deaths in range(DEATHS_MAX):
        job = await claim_one(tasks, connection, stale_after=AT_ONCE)
        assert job.deaths == deaths
    await tasks.enqueue(connection, an_org(), [confirm(2)])
    found = await tasks.claim(connection, Queue.PAYMENTS, limit=5, stale_after=AT_ONCE)
    assert [one.task for one in found] == [confirm(2)]
    (held,) = await held_now(connection)
    assert held.error == "TaskDied: 3 workers died over this job"


async def test_deaths_survive_a_retry(tasks: TaskQueue, connection: Connection) -> None:
    # A task that fails between two deaths does not start counting them anew.
    await tasks.enqueue(connection, an_org(), [confirm()])
    await claim_one(tasks, connection)
    second = await claim_one(tasks, connection, stale_after=AT_ONCE)
    await tasks.retry(connection, second.claim, AT_ONCE, ValueError("no"))
    third = await claim_one(tasks, connection)
    assert (third.attempts, third.deaths) == (1, 1)


async def test_handed_back_is_neither_attempt_nor_death(
    tasks: TaskQueue, connection: Connection
) -> None:
    # A worker that stops gives its job to the next one at once and untouched.
    await tasks.enqueue(connection, an_org(), [confirm()])
    job = await claim_one(tasks, connection)
    assert await tasks.hand_back(connection, job.claim)
    again = await claim_one(tasks, connection)
    assert (again.attempts, again.deaths) == (0, 0)
    assert again.claim.token != job.claim.token


@pytest.mark.parametrize(
    "payload",
    [b"\xff", b"[]", b'{"kind":"Unheard","org":null,"task":{}}', b'{"kind":"ConfirmPayment"}'],
)
async def test_unreadable_jobs_end_as_dead_letters(
    tasks: TaskQueue, connection: Connection, payload: bytes
) -> None:
    # A payload we cannot read is tried as often as any other and then held; it stops nobody.
    await connection.execute(
        "INSERT INTO queue.pgqueuer (priority, status, entrypoint, payload) "
        "VALUES (0, 'queued', 'payments', $1)",
        payload,
    )
    await tasks.enqueue(connection, an_org(), [confirm()])
    assert await claim_all(tasks, connection) == [confirm()]
    for _ in range(QUEUE_RULES[Queue.PAYMENTS].attempts_max):
        await claim_all(tasks, connection, ahead=AN_HOUR)
    (held,) = await held_now(connection)
    assert held.kind == "unknown"
    assert held.error.startswith("UnknownTask: ")


async def test_dead_letters_have_one_fate(
    tasks: TaskQueue, machine: Machine, connection: Connection
) -> None:
    # Two operators decide about one dead letter: exactly one of them does something.
    await tasks.enqueue(connection, an_org(), [confirm()])
    job = await claim_one(tasks, connection)
    await tasks.hold(connection, job.claim, ValueError("no"))

    async def decide(number: int) -> bool:
        jobs = [job.claim.job_id]
        async with machine.machine() as taken:
            if number % 2:
                return await requeued(taken, *jobs) == 1
            return len(await taken.fetch(DECIDED.discard_letters.text, jobs)) == 1

    assert sum(await asyncio.gather(*(decide(number) for number in range(8)))) == 1


async def test_requeued_gets_every_attempt_again(tasks: TaskQueue, connection: Connection) -> None:
    # An operator's second chance starts at zero attempts and zero deaths.
    await tasks.enqueue(connection, an_org(), [confirm()])
    await claim_one(tasks, connection)
    job = await claim_one(tasks, connection, stale_after=AT_ONCE)
    await tasks.hold(connection, job.claim, ValueError("no"))
    assert await requeued(connection, job.claim.job_id + 1) == 0
    assert await requeued(connection, job.claim.job_id) == 1
    again = await claim_one(tasks, connection)
    assert (again.attempts, again.deaths) == (0, 0)


async def test_running_jobs_cannot_be_discarded(tasks: TaskQueue, connection: Connection) -> None:
    # Only a dead letter can be thrown away.
    await tasks.enqueue(connection, an_org(), [confirm()])
    job = await claim_one(tasks, connection)
    jobs = [job.claim.job_id]
    assert await connection.fetch(DECIDED.discard_letters.text, jobs) == []
    assert await tasks.complete(connection, job.claim)


async def test_organizations_take_turns(tasks: TaskQueue, connection: Connection) -> None:
    # One organization's 500 jobs delay nobody: the single jobs of 20 others are among the first.
    crowd = an_org()
    await tasks.enqueue(connection, crowd, [confirm(number) for number in range(500)])
    for number in range(20):
        await tasks.enqueue(connection, an_org(), [confirm(1_000 + number)])
    served: list[OrgId | None] = []
    for _ in range(25):
        found = await tasks.claim(connection, Queue.PAYMENTS, limit=2, stale_after=AN_HOUR)
        served += [job.org_id for job in found]
    assert len(served) == 50
    assert len(set(served[:22])) == 21
    assert Counter(served).most_common(1) == [(crowd, 30)]


async def test_oldest_first_within_an_organization(
    tasks: TaskQueue, connection: Connection
) -> None:
    # After an outage what waited longest goes first.
    org_id = an_org()
    for number in range(10):
        await tasks.enqueue(connection, org_id, [confirm(number)])
    assert await claim_all(tasks, connection) == [confirm(number) for number in range(10)]


async def test_depth_counts_and_lag(tasks: TaskQueue, connection: Connection) -> None:
    # Every queue is counted, the empty ones too; lag is the age of the oldest due job.
    org_id = an_org()
    await tasks.enqueue(connection, org_id, [confirm(number) for number in range(5)])
    await tasks.enqueue(connection, org_id, [confirm(9)], AN_HOUR)
    first, second = await tasks.claim(connection, Queue.PAYMENTS, limit=2)
    await tasks.hold(connection, second.claim, ValueError("no"))
    await connection.execute(
        "UPDATE queue.pgqueuer SET execute_after = now() - interval '70 s' "
        "WHERE status = 'queued' AND execute_after < now()"
    )
    depths = {depth.queue: depth for depth in await tasks.depth(connection)}
    payments = depths[Queue.PAYMENTS]
    assert (payments.waiting, payments.running, payments.held) == (4, 1, 1)
    assert 70 <= payments.lag_seconds < 80
    assert set(depths) == set(Queue)
    assert (depths[Queue.USAGE].waiting, depths[Queue.USAGE].lag_seconds) == (0, 0)
    assert await tasks.complete(connection, first.claim)


async def test_eight_workers_share_without_overlap(
    machine: Machine, connection: Connection
) -> None:
    # 8 claimers, 20,000 tasks of 40 organizations: each job is had once, none stays behind.
    for number in range(40):
        one = [confirm(number * 500 + part) for part in range(500)]
        await TaskQueue(uuid4()).enqueue(connection, an_org(), one)
    taken: Counter[int] = Counter()

    async def work(boot_id: UUID) -> None:
        mine = TaskQueue(boot_id)
        async with machine.machine() as own:
            while found := await mine.claim(own, Queue.PAYMENTS, limit=100, stale_after=AN_HOUR):
                taken.update(job.claim.job_id for job in found)

    await asyncio.gather(*(work(uuid4()) for _ in range(8)))
    assert len(taken) == 20_000
    assert set(taken.values()) == {1}


async def test_a_stale_job_has_one_heir(machine: Machine, connection: Connection) -> None:
    # Eight workers see the same dead job; one takes it over, and one death is counted.
    await TaskQueue(uuid4()).enqueue(connection, an_org(), [confirm()])
    await claim_one(TaskQueue(uuid4()), connection)
    await connection.execute("UPDATE queue.pgqueuer SET heartbeat = now() - interval '1 h'")

    async def take() -> list[Claimed]:
        async with machine.machine() as own:
            return await TaskQueue(uuid4()).claim(own, Queue.PAYMENTS, limit=3)

    found = await asyncio.gather(*(take() for _ in range(8)))
    assert sorted(job.deaths for jobs in found for job in jobs) == [1]


async def test_history_is_forgotten_but_not_of_the_living(
    tasks: TaskQueue, connection: Connection
) -> None:
    # Old log rows go; those of a job that still exists, a dead letter's error above all, stay.
    await tasks.enqueue(connection, an_org(), [confirm(1), confirm(2)])
    first, second = await tasks.claim(connection, Queue.PAYMENTS, limit=2)
    await tasks.complete(connection, first.claim)
    await tasks.hold(connection, second.claim, ValueError("kept"))
    assert await tasks.forget_log(connection, AN_HOUR) == 0
    assert await tasks.forget_log(connection, AT_ONCE) == 2
    (held,) = await held_now(connection)
    assert held.error == "ValueError: kept"
