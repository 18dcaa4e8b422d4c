"""What comes round by itself, as a table: each pass, how often, and whether a commit wakes it.

A pass that found something comes back at once; one that found nothing waits for its time. A pass
that fails is told of and comes round again: nothing here ends a worker. Work from the queues is not
in the table, the worker claims that itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from msgspec import Struct, field

from bursar.jobs.couriers import Couriers
from bursar.jobs.dispatch import (
    add_up_figures,
    carry_forward,
    drain_agenda,
    forget_old_deliveries,
    forget_old_jobs,
    forget_old_keys,
    forget_old_visits,
    move_clocks,
    print_finals,
    seal_logs,
    set_jobs_right,
    tell_checkpoints,
)
from bursar.jobs.reconciling import reconcile
from bursar.jobs.relay import Relay
from bursar.jobs.weighing import Scales
from bursar.runtime import clock, doors
from bursar.runtime.anchors import Anchors
from bursar.runtime.app import App
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.logging import get_log

SEALING_RESTS: Final = 2.0
_AFTER_FAILURE_SECONDS: Final = 1.0
_FINISH_SECONDS: Final = 6.0

log = get_log()


class Pass(Struct, frozen=True):
    """One thing that comes round; `act` says whether it found anything to do."""

    name: str
    every_seconds: float
    act: Callable[[], Awaitable[bool]]
    is_woken: bool = False
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    come_home: Callable[[], Awaitable[None]] | None = None  # for what a round leaves running


def schedule_of(app: App, anchors: Anchors) -> tuple[Pass, ...]:
    """Everything a worker does besides its queues."""
    couriers = Couriers(app)
    relay, home = Relay(couriers), couriers.come_home
    return (
        Pass("agenda", 0.5, partial(drain_agenda, app)),
        Pass("relay", 0.5, relay.pass_on, is_woken=True, bell=relay.bell, come_home=home),
        # Not woken: the relay is, and sends out whoever can go then.
        Pass("deliver", 0.5, couriers.go_round, bell=couriers.bell, come_home=home),
        Pass("clocks", 0.5, partial(move_clocks, app)),
        Pass("print", 2, partial(print_finals, app)),
        Pass("seal", 5, partial(seal_logs, app, anchors, rest=SEALING_RESTS)),
        Pass("checkpoint", 5, partial(tell_checkpoints, app)),
        Pass("reconcile", 3600, partial(reconcile, app)),
        Pass("measure", 5, partial(measure, app)),
        Pass("weigh", 60, Scales(app).weigh),
        Pass("fold", 60, partial(carry_forward, app)),
        Pass("figures", 5, partial(add_up_figures, app)),
        Pass("forget keys", 60, partial(forget_old_keys, app)),
        Pass("forget visits", 60, partial(forget_old_visits, app)),
        Pass("set right", 30, partial(set_jobs_right, app)),
        Pass("forget jobs", 60, partial(forget_old_jobs, app)),
        Pass("forget deliveries", 3600, partial(forget_old_deliveries, app)),
    )


async def keep_schedule(app: App, passes: Sequence[Pass], stopping: asyncio.Event) -> None:
    """Let every pass come round until it is time to stop; one that runs is finished first."""
    rounds = [asyncio.create_task(_come_round(app, each, stopping)) for each in passes]
    await stopping.wait()
    for each in passes:
        each.bell.set()
    _, late = await asyncio.wait(rounds, timeout=_FINISH_SECONDS)
    for one in late:
        one.cancel()
    await asyncio.gather(*rounds, return_exceptions=True)


async def spread_wake(woken: asyncio.Event, bells: Sequence[asyncio.Event]) -> None:
    """Pass one wake-up on to everybody who waits for it; runs until cancelled.

    Whoever waits for an event clears it, so with several waiters each has a bell of its own.
    """
    while True:
        await woken.wait()
        woken.clear()
        for bell in bells:
            bell.set()


async def measure(app: App) -> bool:
    """Tell how full the queues are and how late the machine is."""
    async with app.database.machine() as connection:
        app.telemetry.depths(await app.queue.depth(connection))
        lags = await doors.lags(connection)
        backlog = await doors.billing_backlog(connection)
    app.telemetry.billing_backlog(due=backlog.due, oldest_seconds=backlog.oldest_seconds)
    app.telemetry.lags(agenda_seconds=lags.agenda, outbox_seconds=lags.relay)
    app.telemetry.in_transit(active=lags.active_transfers, oldest_seconds=lags.transit)
    app.telemetry.measured(epoch_seconds=clock.now().timestamp())
    return False


async def _come_round(app: App, each: Pass, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        each.bell.clear()
        try:
            is_more = await each.act()
        except DatabaseAway as away:
            log.warning("pass.put_off", task=each.name, reason=str(away))
            await asyncio.sleep(_AFTER_FAILURE_SECONDS)
        except Exception as fault:
            app.telemetry.unhandled(where="worker")
            log.exception("pass.failed", task=each.name, reason=str(fault))
            await asyncio.sleep(_AFTER_FAILURE_SECONDS)
        else:
            if not is_more and not stopping.is_set():
                await _wait(each)
    if each.come_home is not None:
        await each.come_home()


async def _wait(each: Pass) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(each.every_seconds):
            await each.bell.wait()
