"""`bursar worker`: the queues and everything that comes round by itself.

It loads the application without the API and the command line: a tree has several workers, and each
pays for what it loads.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from bursar.api.server import Server
from bursar.api.worker_pages import build_worker_pages
from bursar.cli.entry import refuse_optimized
from bursar.cli.failing import Exit, explained
from bursar.cli.starting import start
from bursar.jobs.demo_org import found_demo_org
from bursar.jobs.handlers import run_task
from bursar.jobs.queue_loop import QueueLoop
from bursar.jobs.schedule import keep_schedule, schedule_of, spread_wake
from bursar.main import opened
from bursar.runtime.anchors import Anchors
from bursar.runtime.app import App
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.errands import beside
from bursar.runtime.garbage import keep_what_stands
from bursar.runtime.installation import anchors_path, settings_here
from bursar.runtime.listening import bound
from bursar.runtime.pulse import keep_pulse
from bursar.runtime.settings import Settings
from bursar.runtime.stopping import Stop


async def work(settings: Settings, stop: Stop, *, has_demo_org: bool) -> None:
    """A worker, until a signal."""
    async with opened(settings, "worker") as app:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        passes = schedule_of(app, Anchors(anchors_path(settings), app.keys))
        loop = QueueLoop(app.queue, app.database, app.telemetry, partial(run_task, app), app.tracer)
        bells = (loop.bell, *(each.bell for each in passes if each.is_woken))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(beside(spread_wake(app.woken, bells)))
            await stack.enter_async_context(beside(keep_pulse(app.telemetry, app.sessions)))
            await stack.enter_async_context(shown(app))
            if has_demo_org:
                await stack.enter_async_context(beside(found_demo_org(app)))
            stopping = asyncio.Event()
            passing = asyncio.create_task(keep_schedule(app, passes, stopping))

            def finish() -> None:
                stopping.set()
                loop.stop()

            keep_what_stands()
            with stop.meaning(finish):
                await asyncio.gather(passing, loop.run())


@asynccontextmanager
async def shown(app: App) -> AsyncIterator[None]:
    """A worker's own pages, where a port was given for them."""
    port = app.settings.metrics_port
    if port is None:
        yield
        return
    server = Server.of(build_worker_pages(app), patience_seconds=1)
    with bound(app.settings.host, port) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            server.stop()  # canceled, it would leave its socket to the loop
            await serving


def main() -> None:
    """The program, as its command line says."""
    refuse_optimized()
    about = "Work off the queues and everything that comes round by itself, until SIGTERM."
    reader = argparse.ArgumentParser("bursar worker", description=about)
    reader.add_argument("program", help=argparse.SUPPRESS)
    reader.add_argument("--demo-org", action="store_true", help=argparse.SUPPRESS)
    has_demo_org: bool = reader.parse_args().demo_org
    with explained({DatabaseAway: Exit.UNREACHABLE, TimeoutError: Exit.UNREACHABLE}):
        settings = settings_here()
        start(settings, lambda stop: work(settings, stop, has_demo_org=has_demo_org))


if __name__ == "__main__":
    main()
