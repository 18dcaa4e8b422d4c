"""`bursar demo`: the whole story over real HTTP, from sign-up to proven books, a line a step.

It plays an integrator and a customer, and loads nothing of the application. `--json` prints one
object and no other word. A story that is told again and again rides over restarts.
"""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Final

import aiohttp
import msgspec
import typer

from bursar.cli.demo_cast import Cast
from bursar.cli.demo_http import Api, Browser, open_session
from bursar.cli.demo_receiver import receiver
from bursar.cli.demo_story import SCENES, VERIFY, Step, tell_step, tell_story
from bursar.cli.demo_system import System, found_or_started
from bursar.cli.entry import refuse_optimized
from bursar.cli.failing import Exit, explained
from bursar.runtime import logging
from bursar.runtime.clock import monotonic
from bursar.runtime.installation import settings_here
from bursar.runtime.settings import Settings

_SYSTEM: Final = "system"
_PATIENCE_SECONDS: Final = 20
# Told again and again, the story has to live through kills: a dead worker's job is taken over after
# half a minute, and the watchdog's second question comes after one.
_PATIENCE_REPEATED_SECONDS: Final = 150
_REPEATS_MAX: Final = 1_000
_EXIT_SIGNAL: Final = 128
_NUMBERS: Final = {name: number for number, (name, _) in enumerate(SCENES, 1)} | {
    _SYSTEM: 0,
    VERIFY: len(SCENES) + 1,
}

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Report(msgspec.Struct, frozen=True):
    """What `--json` prints."""

    ok: bool
    steps: list[Step]
    seconds: float


@dataclass
class Teller:
    """Notes every step, and says it to people unless a program listens."""

    is_quiet: bool
    steps: list[Step] = field(default_factory=list)
    started: float = field(default_factory=monotonic)

    def tell(self, step: Step) -> None:
        """One step is over."""
        self.steps.append(step)
        number, mark = _NUMBERS[step.name], " " if step.ok else "✗"
        self.say(f"{mark}{number:>3}  {step.name:<17} {step.detail}  ({step.seconds:.2f} s)")

    def say(self, line: str) -> None:
        """Words for people."""
        if not self.is_quiet:
            print(line, flush=True)

    def report(self) -> Report:
        """Everything at the end."""
        is_good = bool(self.steps) and all(step.ok for step in self.steps)
        return Report(is_good, self.steps, round(monotonic() - self.started, 3))


@command.command()
def demo(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    repeat: Annotated[int, typer.Option(min=1, max=_REPEATS_MAX, help="Tell it this often.")] = 1,
    url: Annotated[
        str | None, typer.Option(help="The running system; otherwise PORT, or one of its own.")
    ] = None,
) -> None:
    """Tell the whole story over real HTTP: sign-up, invoice, card, webhook, balanced books."""
    with explained():
        refuse_optimized()
        settings = settings_here()
        logging.configure(level="error", is_development=True, stream=sys.stderr)
        teller = Teller(is_quiet=as_json)
        try:
            asyncio.run(_tell(settings, teller, repeat, url))
        except asyncio.CancelledError:
            sys.exit(_EXIT_SIGNAL + signal.SIGTERM)
    report = teller.report()
    if as_json:
        print(msgspec.json.encode(report).decode(), flush=True)
    else:
        ending = "everything as it should be" if report.ok else "the story broke off"
        print(f"{ending}, {report.seconds:.1f} s", flush=True)
    sys.exit(Exit.DONE if report.ok else Exit.FAILED)


async def _tell(settings: Settings, teller: Teller, repeat: int, url: str | None) -> None:
    async with AsyncExitStack() as stack:
        stack.enter_context(_canceled_by_sigterm())
        session = await stack.enter_async_context(open_session())
        opened: list[System] = []

        async def open_system() -> str:
            found = found_or_started(session, settings, url)
            opened.append(await stack.enter_async_context(found))
            return f"{'started' if opened[0].is_own else 'found'} at {opened[0].url}"

        if await tell_step(_SYSTEM, open_system, teller.tell):
            await _tell_on(opened[0], session, teller, repeat)


async def _tell_on(
    system: System, session: aiohttp.ClientSession, teller: Teller, repeat: int
) -> None:
    """The story as often as asked, then the proof over all of it."""
    org_ids: list[str] = []
    patience_seconds = _PATIENCE_SECONDS if repeat == 1 else _PATIENCE_REPEATED_SECONDS
    for count in range(1, repeat + 1):
        if repeat > 1:
            teller.say(f"story {count} of {repeat}")
        async with receiver() as listening:
            browser = Browser(session)
            anyone = Api(browser, system.url, {})
            cast = Cast(browser, anyone, listening, patience_seconds)
            if not await tell_story(cast, teller.tell):
                return
            org_ids.append(cast.org_id)
    await tell_step(VERIFY, lambda: system.verify(org_ids), teller.tell)


@contextmanager
def _canceled_by_sigterm() -> Iterator[None]:
    """A system of the demo's own is ended also when the demo is."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "it runs in one"
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


if __name__ == "__main__":
    command(args=sys.argv[2:], prog_name="bursar demo")
