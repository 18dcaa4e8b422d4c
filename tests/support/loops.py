"""Which loop tests run on: that of the servers, or of the program that starts them."""

import asyncio
from collections.abc import Callable, Mapping

import uvloop


class ServersLoops(asyncio.DefaultEventLoopPolicy):
    """uvloop, as the API and the worker have it; asyncio's, if asked for, starts programs."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A fresh one."""
        return uvloop.new_event_loop()


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """asyncio's own, for a folder whose conftest has this: it starts programs as `bursar run` does.

    A session fixture lives as long as its loop, so each change from one to the other costs a world.
    """
    return {"asyncio": asyncio.SelectorEventLoop}
