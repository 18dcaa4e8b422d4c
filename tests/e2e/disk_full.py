"""No room on the disk, for data and then for the log: refused in words, and back by itself.

An installation lives on a small file system of its own (a tmpfs, which takes root). A ballast eats
what is left: first a write finds no room for its rows, then PostgreSQL finds none for its log and
falls. Each time the room comes back and nothing is restarted by hand. What was acknowledged is
there, what was refused is done once when it is sent again, and the books agree.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
from tests.support.live import Visitor, visitor
from tests.support.tree import Part, Tree, running

from bursar.runtime import embedded_files as files

DISK_MB: Final = 400
BACK_SECONDS: Final = 60
_CHUNK: Final = 1 << 16
_FULL_TRIES: Final = 200
_FALL_TRIES: Final = 400
# As much as a customer may carry: each one needs pages that are not there.
_LOAD: Final = {f"note{number}": "x" * 500 for number in range(50)}
_ANSWERS: Final = {201, 503}


@dataclass
class Seen:
    """What a drill came to."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    refused: dict[str, Any] = field(default_factory=dict)
    statuses: set[int | None] = field(default_factory=set)
    seconds_back: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    twice: int = 0
    verify_code: int = -1
    said: str = ""

    def told(self) -> str:
        back = ", ".join(f"{seconds:.1f} s" for seconds in self.seconds_back)
        return (
            f"{len(self.acknowledged)} acknowledged, {len(self.refused)} refused and sent again, "
            f"{len(self.lost)} lost, {self.twice} done twice, back after {back}, "
            f"verify exits {self.verify_code}"
        )


def may_mount() -> bool:
    """Whether this machine lets us have a file system of our own."""
    try:
        with small_disk(8):
            return True
    except subprocess.CalledProcessError:
        return False


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of that size for the length of the block."""
    folder = Path(tempfile.mkdtemp(prefix="bursar-disk-"))
    command = ("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder))
    try:
        subprocess.run(command, check=True, capture_output=True)
        try:
            yield folder
        finally:
            subprocess.run(("umount", "--lazy", str(folder)), check=True, capture_output=True)
    finally:
        folder.rmdir()


@dataclass
class Ballast:
    """What eats the room."""

    path: Path

    def eat(self) -> None:
        """Until nothing is left."""
        with self.path.open("ab", buffering=0) as file, suppress(OSError):
            while file.write(b"\0" * _CHUNK):
                pass

    def give_back(self) -> None:
        """There is room again."""
        self.path.unlink(missing_ok=True)


async def write(who: Visitor, seen: Seen, name: str) -> int | None:
    """One customer, once; what it was answered."""
    body = {"email": f"{name}@example.com", "name": name, "metadata": _LOAD}
    answer = await who.ask("POST", "/v1/customers", body, name)
    status = None if answer is None else answer.status
    seen.statuses.add(status)
    if answer is not None and status == 201:
        seen.acknowledged[name] = answer.value["id"]
    else:
        seen.refused[name] = body
        if answer is not None and status == 503:
            assert answer.error["code"] == "SERVICE_UNAVAILABLE", answer.body
    return status


async def until_refused(who: Visitor, seen: Seen) -> None:
    """Write until there is no room for rows."""
    for number in range(_FULL_TRIES):
        if await write(who, seen, f"data-{number}") == 503:
            return
    raise AssertionError(f"it always found room: {seen.statuses}")


async def until_fallen(tree: Tree, who: Visitor, seen: Seen, ballast: Ballast) -> None:
    """Use the log up until PostgreSQL finds no room for more of it."""
    for number in range(_FALL_TRIES):
        ballast.eat()
        if not tree.pids(Part.POSTGRES):
            return
        await _switch_log(tree)
        await write(who, seen, f"log-{number}")
    raise AssertionError("PostgreSQL always found room for its log")


async def _switch_log(tree: Tree) -> None:
    """Begin another piece of the log, as a hundred more writes would."""
    url = files.load(files.paths_of(tree.postgres_dir).state).url("postgres").reveal()
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        connection = await asyncpg.connect(url, timeout=2)
        with suppress(asyncpg.PostgresError):
            await connection.execute("SELECT pg_logical_emit_message(false, 'drill', 'x')")
            await connection.execute("SELECT pg_switch_wal()")
        connection.terminate()


async def until_back(who: Visitor, seen: Seen, name: str) -> None:
    """There is room again: nobody does anything, and a write is answered."""
    began = time.monotonic()
    async with asyncio.timeout(BACK_SECONDS):
        while True:
            if await write(who, seen, name) == 201:
                break
            await asyncio.sleep(0.1)
    seen.seconds_back.append(time.monotonic() - began)


async def settle(who: Visitor, seen: Seen) -> None:
    """Send again what was refused, as its sender is told to; look that all of it is there once."""
    for name, body in seen.refused.items():
        made = await who.make("/v1/customers", body, name)
        seen.acknowledged.setdefault(name, made["id"])
    found: list[str] = []
    after = ""
    while True:
        answer = await who.ask("GET", f"/v1/customers?limit=100{after}")
        assert answer is not None
        assert answer.status == 200, answer.body
        found += [each["id"] for each in answer.page["data"]]
        if answer.page["meta"]["nextCursor"] is None:
            break
        after = f"&after={answer.page['meta']['nextCursor']}"
    seen.lost = sorted(set(seen.acknowledged.values()) - set(found))
    seen.twice = len(found) - len(seen.acknowledged)


@asynccontextmanager
async def on_a_small_disk() -> AsyncIterator[tuple[Tree, Ballast]]:
    """An installation on a file system of its own."""
    with small_disk(DISK_MB) as disk:
        async with running(under=disk) as tree:
            yield tree, Ballast(disk / "ballast")


async def drill() -> Seen:
    """No room for data, then no room for the log."""
    seen = Seen()
    async with on_a_small_disk() as (tree, ballast), visitor(tree, "owner@example.com") as who:
        assert await write(who, seen, "before") == 201
        ballast.eat()
        await until_refused(who, seen)
        reads = [await who.ask("GET", path) for path in ("/health", "/v1/customers")]
        assert [answer and answer.status for answer in reads] == [200, 200], reads
        ballast.give_back()
        await until_back(who, seen, "between")
        await until_fallen(tree, who, seen, ballast)
        alive = await who.ask("GET", "/health/live")
        assert alive is not None
        assert alive.status == 200
        assert await write(who, seen, "while-fallen") == 503
        ballast.give_back()
        await until_back(who, seen, "after")
        await settle(who, seen)
        verify = await tree.command("verify", "--format", "json")
        said, _ = await verify.communicate()
        seen.said, seen.verify_code = said.decode(), verify.returncode or 0
    return seen


def main() -> int:
    """One drill; 1 when something was lost, done twice, or answered otherwise."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    seen = asyncio.run(drill())
    print(f"disk full: {seen.told()}; answers {sorted(map(str, seen.statuses))}")
    is_good = not seen.lost and not seen.twice and seen.verify_code == 0
    if not is_good:
        print(seen.said)
    return 0 if is_good and seen.statuses <= _ANSWERS else 1


if __name__ == "__main__":
    sys.exit(main())
