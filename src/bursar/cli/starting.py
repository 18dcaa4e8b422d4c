"""How a program that serves is started: its log lines first, then its loop, until a signal."""

import asyncio
from collections.abc import Callable, Coroutine

import uvloop

from bursar.runtime import logging
from bursar.runtime.garbage import give_back_large_blocks
from bursar.runtime.settings import Settings
from bursar.runtime.stopping import Stop, until_stopped


def start(settings: Settings, program: Callable[[Stop], Coroutine[None, None, None]]) -> None:
    """Run the program on a loop of its own, until it ends or is told to."""
    logging.configure(level=settings.log_level, is_development=settings.app_env == "development")
    give_back_large_blocks()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_stopped(program))
