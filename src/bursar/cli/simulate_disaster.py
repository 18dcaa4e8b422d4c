"""The disk of a database is lost while people write: everything acknowledged must come back.

Each round, writers make customers over real HTTP while `bursar backup --continuous` follows into a
second folder. Then the server is shot and its folder deleted, with the signed heads beside it, and
`bursar restore` puts it back under the processes that still run. It kills and deletes, so it plays
on an installation that was made for it, and on no other.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
from msgspec import Struct

from bursar.cli.demo_accounts import sign_up
from bursar.cli.demo_cast import Cast
from bursar.cli.demo_http import Api, Browser, Unexpected
from bursar.cli.demo_receiver import Receiver
from bursar.cli.demo_system import System
from bursar.cli.entry import THE_REST
from bursar.cli.failing import Exit
from bursar.runtime.clock import monotonic
from bursar.runtime.embedded import EmbeddedPostgres

_LOAD_SECONDS: Final = 3.0
_PROTECTED_SECONDS: Final = 60
_PATIENCE_SECONDS: Final = 120
_STOP_SECONDS: Final = 20
_POLL_SECONDS: Final = 0.05
_CREATED: Final = 201
_SHOWN_MAX: Final = 300
_PROTECTED: Final = "every commit waits"


class Drill(Struct, frozen=True):
    """How often, under how many writers, and how soon a write must be answered again."""

    rounds: int
    writers: int
    within_seconds: float


class Loss(Struct, frozen=True):
    """What one loss came to."""

    number: int
    acknowledged: int
    lost: tuple[str, ...]
    seconds_to_write: float
    is_verified: bool
    is_in_time: bool

    @property
    def is_good(self) -> bool:
        """Whether nothing is missing, all agrees, and it was soon enough."""
        return not self.lost and self.is_verified and self.is_in_time

    def row(self) -> dict[str, object]:
        """As it is printed."""
        return {
            "round": self.number,
            "acknowledged": self.acknowledged,
            "lost": list(self.lost),
            "secondsToWrite": round(self.seconds_to_write, 2),
            "isVerified": self.is_verified,
            "verdict": "ok" if self.is_good else "PROBLEM",
        }


class Stage(Struct, frozen=True):
    """What is lost, who writes there, and the folder that it comes back from."""

    system: System
    owner: Api
    backup: Path


@dataclass
class Writers:
    """People who write until they are told to stop, and remember what was acknowledged."""

    owner: Api
    prefix: str
    acknowledged: list[str] = field(default_factory=list)
    is_over: bool = False
    one_more: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, number: int) -> None:
        """One after the other; whatever is not answered is sent again under its key."""
        count = 0
        while not self.is_over:
            count += 1
            name = f"{self.prefix}-{number}-{count}"
            body = {"email": f"{name}@example.com", "name": name}
            made = (await self.owner.post("/v1/customers", body, key=name)).expect(_CREATED)
            self.acknowledged.append(made.value["id"])
            self.one_more.set()

    async def until_written(self) -> None:
        """Until one more is acknowledged than are now, whoever of them it is."""
        self.one_more.clear()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self.one_more.wait()


async def drilled(
    session: aiohttp.ClientSession, system: System, drill: Drill, tell: Callable[[], None]
) -> list[Loss]:
    """Round after round on one installation and one second folder; `tell` hears of each.

    Raises:
        Unexpected: it could not be played to its end.
    """
    browser = Browser(session, patience_seconds=_PATIENCE_SECONDS)
    cast = Cast(browser, Api(browser, system.url, {}), Receiver(), _PATIENCE_SECONDS)
    await sign_up(cast)
    stage = Stage(system, cast.owner, system.folder.with_name("second"))
    found: list[Loss] = []
    async with _following(stage) as until_protected:
        for number in range(1, drill.rounds + 1):
            await until_protected(number)
            found.append(await _lose_everything(stage, drill, number))
            tell()
    return found


async def _lose_everything(stage: Stage, drill: Drill, number: int) -> Loss:
    """One round: write, lose, bring back, count."""
    writers = Writers(stage.owner, f"round{number}")
    writing = asyncio.gather(*map(writers.write, range(drill.writers)))
    try:
        await asyncio.sleep(_LOAD_SECONDS)
        began = monotonic()
        _destroy(stage.system.folder)
        await _restored(stage)
        await writers.until_written()
        seconds = monotonic() - began
    finally:
        writers.is_over = True
    await writing
    there = await _customers(stage.owner)
    code, _, _ = await stage.system.run("verify", "--format", "json")
    return Loss(
        number=number,
        acknowledged=len(writers.acknowledged),
        lost=tuple(sorted(set(writers.acknowledged) - there)),
        seconds_to_write=seconds,
        is_verified=code == Exit.DONE,
        is_in_time=seconds <= drill.within_seconds,
    )


def _destroy(folder: Path) -> None:
    """The server is shot; its whole folder, and the signed heads beside it, are gone."""
    home = folder / "postgres"
    pid = EmbeddedPostgres(home).pid()
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    gone = folder.with_name("lost")
    home.rename(gone)  # in one step: what is dying still writes
    shutil.rmtree(gone, ignore_errors=True)
    (folder / "anchors.jsonl").unlink(missing_ok=True)


async def _restored(stage: Stage) -> None:
    code, _, err = await stage.system.run("restore", str(stage.backup), "--no-verify")
    if code != Exit.DONE:
        raise Unexpected("`bursar restore` to exit with 0", came=f"{code}: {err.decode()}")


async def _customers(owner: Api) -> set[str]:
    """The ids of all there are."""
    found: set[str] = set()
    path = "/v1/customers?limit=100"
    while True:
        page: Any = msgspec.json.decode((await owner.get(path)).expect(200).body)
        found |= {each["id"] for each in page["data"]}
        if page["meta"]["nextCursor"] is None:
            return found
        path = f"/v1/customers?limit=100&after={page['meta']['nextCursor']}"


@asynccontextmanager
async def _following(stage: Stage) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """`bursar backup --continuous` for the length of the block, and how to wait for it."""
    log = stage.backup.with_name("backup.log")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", THE_REST, "backup", str(stage.backup), "--continuous"),
            env=stage.system.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )

    async def until_protected(times: int) -> None:
        """Until it has said this often that no commit is answered before it is there, too."""
        deadline = monotonic() + _PROTECTED_SECONDS
        while log.read_text().count(_PROTECTED) < times:
            if process.returncode is not None or monotonic() > deadline:
                raise Unexpected("a continuous backup", came=log.read_text()[-_SHOWN_MAX:])
            await asyncio.sleep(_POLL_SECONDS)

    try:
        yield until_protected
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
