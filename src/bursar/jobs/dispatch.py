"""Passes over what waits in tables of their own: the agenda, the relay, deliveries, seals.

Each pass does a bounded amount and says whether there was any, so the worker knows whether to come
back at once. Passes of several workers never take the same thing: rows are leased or skipped.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from bursar.domain.access import System
from bursar.domain.agenda import DueKind
from bursar.domain.ids import (
    CustomerId,
    HoldId,
    InvoiceId,
    OrgId,
    PaymentId,
    RecurringInvoiceId,
    RefundId,
    SubscriptionId,
    TransferId,
    print_id,
)
from bursar.domain.rows import Record
from bursar.domain.tasks import (
    AdvanceDunning,
    BillDue,
    BillSubscription,
    ConfirmPayment,
    ConfirmRefund,
    ConfirmSetups,
    ExpireHold,
    FollowInvoice,
    FollowInvoices,
    IssueInvoice,
    IssueRecurring,
    PrintInvoice,
    ResumeTransfer,
    Task,
)
from bursar.jobs.couriers import Couriers
from bursar.operations.analytics import FoldFigures, fold_figures
from bursar.operations.audit import (
    SEALED_AT_ONCE_MAX,
    SealEvents,
    TellCheckpoint,
    seal_events,
    tell_checkpoint,
)
from bursar.operations.ledger import MARGIN, FoldBooks, fold_books
from bursar.operations.test_clocks import MoveClock, move_clock
from bursar.runtime import clock, doors
from bursar.runtime.anchors import Anchors
from bursar.runtime.app import App, Caller, Command, Operation, Result
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.ids import new_uuid
from bursar.runtime.logging import get_log

_AT_ONCE: Final = 200
_FOLLOWED_AT_ONCE: Final = 100  # the ids of twice as many do not fit into one task
_AGENDA_LEASE: Final = timedelta(seconds=60)
_ORGS_AT_ONCE: Final = 10_000  # all there are: of fewer, busy ones might come first always
_FORGOTTEN_AT_ONCE: Final = 1000
_CLOCKS_AT_ONCE: Final = 50
_CLOCK_PAUSE_SECONDS: Final = 0.02
_PRINT_STRETCH: Final = 5_000
_PRINTED_AHEAD: Final = 32  # of each organization in a stretch of the log
_JOB_HISTORY: Final = timedelta(days=7)
_DELIVERY_HISTORY: Final = timedelta(days=90)

log = get_log()


# What is asked for when an item of this kind is due.
_TASK_OF: Final[Mapping[DueKind, Callable[[UUID], Task]]] = {
    DueKind.WATCH_PAYMENT: lambda subject: ConfirmPayment(PaymentId(print_id("pay", subject))),
    DueKind.WATCH_REFUND: lambda subject: ConfirmRefund(RefundId(print_id("rfd", subject))),
    DueKind.WATCH_SETUP: lambda subject: ConfirmSetups(CustomerId(print_id("cust", subject))),
    DueKind.RESUME_TRANSFER: lambda subject: ResumeTransfer(TransferId(print_id("txn", subject))),
    DueKind.FOLLOW_INVOICE: lambda subject: FollowInvoice(InvoiceId(print_id("inv", subject))),
    DueKind.ISSUE_RECURRING: lambda subject: IssueRecurring(
        RecurringInvoiceId(print_id("rinv", subject))
    ),
    DueKind.EXPIRE_HOLD: lambda subject: ExpireHold(HoldId(print_id("hld", subject))),
    DueKind.BILL_SUBSCRIPTION: lambda subject: BillSubscription(
        SubscriptionId(print_id("sub", subject))
    ),
    DueKind.ISSUE_INVOICE: lambda subject: IssueInvoice(InvoiceId(print_id("inv", subject))),
    DueKind.DUNNING: lambda subject: AdvanceDunning(InvoiceId(print_id("inv", subject))),
}


async def drain_agenda(app: App) -> bool:
    """Turn what is due into tasks; the lease and the tasks are one commit."""
    async with app.database.machine() as connection, connection.transaction():
        due = await connection.fetch("SELECT * FROM sec.claim_due($1, $2)", _AT_ONCE, _AGENDA_LEASE)
        for org_id, tasks in _tasks(due).items():
            await app.queue.enqueue(connection, org_id, tasks, timedelta(0))
    if due:
        app.wake()
    return bool(due)


def _tasks(due: Iterable[Record]) -> dict[OrgId, list[Task]]:
    """What is asked for, by organization; what is due together shares one task where it may."""
    tasks: dict[OrgId, list[Task]] = defaultdict(list)
    for item in due:
        task = _TASK_OF[DueKind(item["kind"])](item["subject_id"])
        tasks[OrgId(print_id("org", item["org_id"]))].append(task)
    return {org_id: list(_together(asked)) for org_id, asked in tasks.items()}


def _together(asked: Sequence[Task]) -> Iterator[Task]:
    """The same tasks, subscriptions to bill as one of them and invoices to look at as another."""
    followed = [each.invoice_id for each in asked if isinstance(each, FollowInvoice)]
    billed = [each for each in asked if isinstance(each, BillSubscription)]
    for each in asked:
        if isinstance(each, FollowInvoice) and len(followed) > 1:
            continue
        if isinstance(each, BillSubscription) and len(billed) > 1:
            continue
        yield each
    for at in range(0, len(followed), _FOLLOWED_AT_ONCE) if len(followed) > 1 else ():
        yield FollowInvoices(tuple(followed[at : at + _FOLLOWED_AT_ONCE]))
    if len(billed) > 1:
        yield BillDue()


async def move_clocks(app: App) -> bool:
    """Let each test clock that is on its way go on, once what it has reached is done.

    What is due at the new moment becomes tasks at once; a clock that waits is asked again soon.
    """
    async with app.database.machine() as connection:
        found = await doors.clocks_under_way(connection, _CLOCKS_AT_ONCE)
    moved = [has async for _, has in _in_turn(app, found, move_clock, MoveClock())]
    if any(moved):
        await drain_agenda(app)
    elif found:
        await asyncio.sleep(_CLOCK_PAUSE_SECONDS)
    return bool(found)


async def print_finals(app: App) -> bool:
    """Have invoices that became final printed, while the queue has nothing else to do."""
    tasks: dict[OrgId, list[Task]] = defaultdict(list)
    async with app.database.machine() as connection, connection.transaction():
        for org_id, invoice_id in await doors.finals_to_print(
            connection, stretch=_PRINT_STRETCH, each=_PRINTED_AHEAD
        ):
            tasks[org_id].append(PrintInvoice(invoice_id))
        for org_id, asked in tasks.items():
            await app.queue.enqueue(connection, org_id, asked, timedelta(0))
    if tasks:
        app.wake()
    return False


async def relay_events(app: App) -> bool:
    """Give new events to the endpoints that want them, behind every running transaction."""
    async with app.database.machine() as connection:
        return await doors.relay_events(connection, _AT_ONCE) > 0


async def deliver_due(app: App) -> bool:
    """One round of deliveries, to its end."""
    couriers = Couriers(app)
    is_any = await couriers.set_out()
    await couriers.come_home()
    return is_any


async def seal_logs(app: App, anchors: Anchors, *, rest: float = 0) -> bool:
    """Extend the chains of organizations with new events, and sign their new heads.

    After each it rests for that part of what it took, so that writers come in between.
    """
    async with app.database.machine() as connection:
        behind = await doors.unsealed_orgs(connection, _ORGS_AT_ONCE)
    is_more, began = False, clock.monotonic()
    async for org_id, head in _in_turn(app, behind, seal_events, SealEvents(SEALED_AT_ONCE_MAX)):
        if head is not None:
            anchors.keep(org_id, head)
            is_more = True
        await asyncio.sleep((clock.monotonic() - began) * rest)
        began = clock.monotonic()
    return is_more


async def tell_checkpoints(app: App) -> bool:
    """Tell organizations whose log has grown the signed heads of their chains."""
    async with app.database.machine() as connection:
        due = await doors.orgs_to_checkpoint(connection, _ORGS_AT_ONCE)
    async for _ in _in_turn(app, due, tell_checkpoint, TellCheckpoint()):
        pass
    return bool(due)


async def carry_forward(app: App, margin: timedelta = MARGIN) -> bool:
    """Carry the sums of busy accounts forward up to so long ago, organization by organization."""
    async with app.database.machine() as connection:
        found = await doors.orgs_to_fold(connection, margin, _ORGS_AT_ONCE)
    async for _ in _in_turn(app, found, fold_books, FoldBooks(margin)):
        pass
    return False


async def add_up_figures(app: App) -> bool:
    """Move figures into the sums of their days, organization by organization."""
    async with app.database.machine() as connection:
        found = await doors.orgs_with_figures(connection, _ORGS_AT_ONCE)
    async for _ in _in_turn(app, found, fold_figures, FoldFigures()):
        pass
    return False


async def forget_old_keys(app: App) -> bool:
    """Remove idempotency keys past their day."""
    async with app.database.machine() as connection:
        return bool(await doors.forget_idempotency_keys(connection, _FORGOTTEN_AT_ONCE))


async def forget_old_visits(app: App) -> bool:
    """Remove tries at passwords, mailed tokens and refresh tokens whose time is long over."""
    async with app.database.machine() as connection:
        return bool(await doors.forget_visits(connection, _FORGOTTEN_AT_ONCE))


async def forget_old_deliveries(app: App) -> bool:
    """Remove webhook deliveries, and what endpoints answered, that ended three months ago."""
    before = clock.now() - _DELIVERY_HISTORY
    async with app.database.machine() as connection:
        return bool(await doors.forget_deliveries(connection, before, _FORGOTTEN_AT_ONCE))


async def set_jobs_right(app: App) -> bool:
    """Let jobs run that were left while the database's clock was ahead of what it is now."""
    async with app.database.machine() as connection:
        found = await app.queue.set_right(connection)
    if found:
        log.warning("queue.clock_put_back", jobs=found)
        app.wake()
    return False


async def forget_old_jobs(app: App) -> bool:
    """Remove the queue's history of jobs that ended a week ago."""
    async with app.database.machine() as connection:
        return bool(await app.queue.forget_log(connection, _JOB_HISTORY))


async def _in_turn(
    app: App, org_ids: Iterable[OrgId], verb: Operation[Command, Result], command: Command
) -> AsyncIterator[tuple[OrgId, Result]]:
    """What it gave for each; an organization where it fails holds up no other.

    Raises:
        DatabaseAway: nobody else can have their turn either.
        Exception: the first fault, after the turn of the last.
    """
    faults: list[Exception] = []
    for org_id in org_ids:
        try:
            result = await _system(app, org_id).run(verb, command)
        except DatabaseAway:
            raise
        except Exception as fault:
            log.exception("pass.org_failed", task=verb.name, org_id=org_id, reason=str(fault))
            faults.append(fault)
        else:
            yield org_id, result
    if faults:
        raise faults[0]


def _system(app: App, org_id: OrgId) -> Caller:
    return Caller(app=app, org_id=org_id, actor=System("worker"), request_id=str(new_uuid()))
