"""A terminal in this process: the real command line over the suite's own database."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import structlog
from tests.support.world import World

from bursar.cli.failing import Exit, explained
from bursar.cli.programs import Programs
from bursar.cli.root import build_root
from bursar.main import Strangers, build
from bursar.runtime.app import App
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.settings import Settings


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def value(self) -> Any:
        """The JSON on stdout."""
        return msgspec.json.decode(self.out)


class Screen(io.StringIO):
    """What somebody watches, as a terminal would say of itself."""

    def isatty(self) -> bool:
        return True


class Terminal:
    """Runs commands in a thread, since each brings an event loop and an application of its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        programs = Programs(
            opened=self._opened,
            version="0.0.0",
        )
        self._root = build_root(programs)

    async def run(self, *arguments: str) -> Said:
        return await asyncio.to_thread(self._run, arguments, io.StringIO())

    async def watch(self, *arguments: str) -> Said:
        """The same, while somebody looks at what is written beside the answer."""
        return await asyncio.to_thread(self._run, arguments, Screen())

    def _run(self, arguments: tuple[str, ...], err: io.StringIO) -> Said:
        out = io.TextIOWrapper(io.BytesIO(), "utf-8")
        code = 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                with explained({DatabaseAway: Exit.UNREACHABLE}):
                    self._root(args=list(arguments), prog_name="bursar")
            except SystemExit as ended:
                code = int(ended.code or 0)
        out.flush()
        return Said(code, out.buffer.getvalue(), err.getvalue())

    @asynccontextmanager
    async def _opened(self, settings: Settings, part: str) -> AsyncIterator[App]:
        world = self._world
        strangers = Strangers(world.app.providers, world.postman, world.mailbox)
        async with build(
            settings, part=part, app_url=world.house.app_url, strangers=strangers
        ) as app:
            yield app


def seated(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """At the command line of the suite's installation; it leaves the logs as they were."""
    monkeypatch.setenv("APP_ENV", "test")
    monkeypatch.setenv("DATA_DIR", str(world.house.settings.data_dir))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    config = structlog.get_config()
    yield Terminal(world)
    structlog.configure(**config)


@pytest.fixture
def terminal(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """The command line, for whoever asks."""
    yield from seated(world, monkeypatch)
