"""`bursar serve`: the API as a process that answers first and loads the rest of itself then.

It listens as soon as the database was found to fit, which takes a fraction of what the application
takes to load; whoever comes before that is there waits for it, but for probes. It loads nothing of
the application by itself: the assembly is named, and loaded beside the loop.
"""

import argparse
import asyncio
import gc
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from functools import partial
from importlib import import_module
from typing import Final, Protocol, cast

from msgspec import Struct

from bursar.api.front import Front
from bursar.api.guard import AsgiApp
from bursar.api.protocol import guarded_http
from bursar.api.server import Server
from bursar.cli.entry import WHOLE_API, refuse_optimized
from bursar.cli.failing import Exit, explained
from bursar.cli.starting import start
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.fitting import fit_database
from bursar.runtime.garbage import keep_what_stands
from bursar.runtime.installation import DatabaseUrls
from bursar.runtime.listening import bound
from bursar.runtime.settings import Settings, from_environment
from bursar.runtime.stopping import Stop
from bursar.runtime.telemetry import Telemetry, telemetry_of

_DRAIN_SECONDS: Final = 6  # a stop may take ten in all
_TURN_SECONDS: Final = 0.0005


class Assembly(Protocol):
    """What the assembly gives to whoever serves."""

    def standing(
        self, settings: Settings, urls: DatabaseUrls, telemetry: Telemetry
    ) -> AbstractAsyncContextManager[AsgiApp]:
        """Everything that the API serves, for as long as the block."""
        ...


class Running(Struct, frozen=True):
    """A server that answers, and how it is told to stop."""

    stop: Callable[[], None]
    ended: "asyncio.Task[None]"


async def serve(settings: Settings, host: str, stop: Stop) -> None:
    """The API, until a signal."""
    gc.disable()  # until everything stands: hardly anything that a start makes is garbage
    async with fit_database(settings) as (urls, probe):
        telemetry = telemetry_of("api")
        front = Front(settings, telemetry, probe.is_answered)
        async with _answering(settings, host, front) as server, AsyncExitStack() as stack:
            assembly = await _loaded()
            standing = assembly.standing(settings, urls, telemetry)
            whole = await stack.enter_async_context(standing)
            keep_what_stands()
            front.stand(whole)
            probe.close()
            with stop.meaning(server.stop):
                await server.ended


@asynccontextmanager
async def _answering(settings: Settings, host: str, front: Front) -> AsyncIterator[Running]:
    """The server, answering; whatever ends the block, whoever waits is told before it ends."""
    http = guarded_http(settings.trusted_proxies)
    server = Server.of(front, patience_seconds=_DRAIN_SECONDS, http=http)
    with bound(host, settings.port) as listener:
        ended = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield Running(server.stop, ended)
        finally:
            front.leave()
            server.stop()  # canceled, it would leave its socket to the loop
            await ended


async def _loaded() -> Assembly:
    """The assembly, imported by a thread that gives the loop its turn at once.

    A stop need not wait for it: the thread ends with the process.
    """
    turn, ended = sys.getswitchinterval(), asyncio.Event()
    load = partial(_load, asyncio.get_running_loop(), ended)
    sys.setswitchinterval(_TURN_SECONDS)
    threading.Thread(target=load, name="assembly", daemon=True).start()
    try:
        await ended.wait()
        return cast("Assembly", import_module(WHOLE_API))  # what went wrong goes wrong here again
    finally:
        sys.setswitchinterval(turn)


def _load(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    try:
        with suppress(Exception):
            import_module(WHOLE_API)
    finally:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(ended.set)


def main() -> None:
    """The program, as its command line says."""
    refuse_optimized()
    reader = argparse.ArgumentParser("bursar serve", description="Serve the API, until SIGTERM.")
    reader.add_argument("program", help=argparse.SUPPRESS)
    reader.add_argument("--host", help="Address to listen on; all of them in production.")
    host = reader.parse_args().host
    with explained({DatabaseAway: Exit.UNREACHABLE, TimeoutError: Exit.UNREACHABLE}):
        settings = from_environment()
        start(settings, lambda stop: serve(settings, host or settings.host, stop))


if __name__ == "__main__":
    main()
