"""`bursar simulate`: what could happen, made to happen where it hurts nobody, and judged.

Payments are played in an organization of their own, whose money is the sandbox's. The disaster is
played on an installation of its own, which is thrown away: no other is ever touched.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from typing import Annotated, Final, TypeVar

import typer

from bursar.cli.demo_http import Unexpected, open_session, understood
from bursar.cli.demo_system import found_or_started, started
from bursar.cli.desk import desk
from bursar.cli.failing import Exit, Unreachable
from bursar.cli.output import Output, Quiet, say, show_list
from bursar.cli.simulate_disaster import Drill, Loss, drilled
from bursar.cli.simulate_payments import Played, Script, play, summed
from bursar.cli.telling import told
from bursar.runtime import logging
from bursar.runtime.settings import Settings
from bursar.runtime.stopping import Stop, until_stopped

_EXIT_SIGNAL: Final = 128
_COUNT_MAX: Final = 10_000
# A system that somebody uses keeps its limit, and is asked no faster; one of our own needs none.
_UNLIMITED: Final = {"RATE_LIMIT_MAX_REQUESTS": "1000000"}
_OF_PAYMENTS: Final = (
    *("card", "outcome", "payments", "asMeant", "takenCents", "medianSeconds", "slowestSeconds"),
)
_OF_DISASTER: Final = ("round", "acknowledged", "lost", "secondsToWrite", "isVerified", "verdict")

Result = TypeVar("Result")

group = typer.Typer(
    help="What could happen, made to happen where it hurts nobody.", no_args_is_help=True
)


@group.command("payments")
def simulate_payments(
    context: typer.Context,
    *,
    count: Annotated[int, typer.Option(min=1, max=_COUNT_MAX, help="How many payments.")] = 25,
    success: Annotated[
        int, typer.Option(min=0, max=100, help="How many in a hundred are to succeed.")
    ] = 70,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same cards.")] = 1,
    url: Annotated[
        str | None, typer.Option(help="The running system; otherwise PORT, or one of its own.")
    ] = None,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Pay invoices by test cards over real HTTP; exit 9 if one does not end as its card means."""
    script, settings = Script(count, success, seed), _settings(context)
    found = _ran(partial(_paid, settings, script, url, is_quiet=quiet))
    sums = summed(found)
    show_list([each.row() for each in sums], _OF_PAYMENTS, output)
    for each in found:
        if not each.is_as_meant:
            say(f"  {each.invoice_id}: {each.card.token} came to {each.came}", is_quiet=quiet)
    good = sum(each.as_meant for each in sums)
    say(f"{good} of {len(found)} ended as their cards mean, seed {seed}", is_quiet=quiet)
    _judge(is_good=good == len(found))


@group.command("disaster")
def simulate_disaster(
    context: typer.Context,
    *,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="How often all is lost.")] = 1,
    writers: Annotated[int, typer.Option(min=1, max=64, help="How many write meanwhile.")] = 8,
    within: Annotated[
        float, typer.Option(min=1, help="In how many seconds a write must be answered again.")
    ] = 10.0,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Lose the disk of a database under load and bring it back from the continuous backup.

    It is one of its own, made for this and thrown away. Exit 9 if anything acknowledged is lost,
    the books do not agree, or it takes too long.
    """
    _settings(context)
    drill = Drill(rounds, writers, within)
    found = _ran(partial(_lost, drill, is_quiet=quiet))
    show_list([each.row() for each in found], _OF_DISASTER, output)
    acknowledged, lost = sum(each.acknowledged for each in found), sum(len(e.lost) for e in found)
    say(f"{len(found)} rounds, {acknowledged} acknowledged, {lost} lost", is_quiet=quiet)
    _judge(is_good=all(each.is_good for each in found))


async def _paid(
    settings: Settings, script: Script, url: str | None, *, is_quiet: bool
) -> list[Played]:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session())
        found = found_or_started(session, settings, url, more=_UNLIMITED)
        try:
            system = await stack.enter_async_context(found)
        except Unexpected as absent:
            raise Unreachable(str(absent)) from None
        with told("payments", script.count, is_quiet=is_quiet) as teller:
            return await play(session, system, script, lambda: teller.done(1))


async def _lost(drill: Drill, *, is_quiet: bool) -> list[Loss]:
    async with open_session() as session, started(session, more=_UNLIMITED) as system:
        with told("rounds", drill.rounds, is_quiet=is_quiet) as teller:
            return await drilled(session, system, drill, lambda: teller.done(1))


def _settings(context: typer.Context) -> Settings:
    settings = desk(context).settings
    logging.configure(level="warning", is_development=not settings.is_production)
    return settings


def _ran(act: Callable[[], Coroutine[None, None, Result]]) -> Result:
    """To its end; a signal cancels, and what was started is ended on the way out."""
    found: list[Result] = []

    async def program(_stop: Stop) -> None:
        with understood():
            found.append(await act())

    try:
        asyncio.run(until_stopped(program))
    except Unexpected as unexpected:
        say(f"bursar: {unexpected}")
        raise typer.Exit(Exit.FAILED) from None
    if not found:
        raise typer.Exit(_EXIT_SIGNAL + signal.SIGTERM)
    return found[0]


def _judge(*, is_good: bool) -> None:
    if not is_good:
        raise typer.Exit(Exit.PROBLEMS)
