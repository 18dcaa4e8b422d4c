"""The disk of the database is lost while people pay: everything that was acknowledged comes back.

Each round, eight writers make customers over real HTTP while `bursar backup --continuous` follows
into a second folder. Then the whole folder of the database is deleted and its server shot, and
`bursar restore` puts it back under the processes that still run. Every acknowledged customer must
be there, the books and the signed heads of the log must agree, and a write must be answered soon.
"""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.support.live import Visitor, visitor
from tests.support.tree import Part, Tree, running

ROUNDS: Final = 5
RTO_SECONDS: Final = 10.0
WRITERS: Final = 8
LOAD_SECONDS: Final = 3.0
_PROTECTED_SECONDS: Final = 60
_FOUND_SECONDS: Final = 120
_POLL_SECONDS: Final = 0.05


@dataclass
class Round:
    """What one loss came to."""

    acknowledged: int
    lost: list[str]
    seconds_to_write: float
    verify_code: int
    said: str

    @property
    def is_good(self) -> bool:
        return not self.lost and self.verify_code == 0 and self.seconds_to_write <= RTO_SECONDS

    def told(self) -> str:
        return (
            f"{self.acknowledged} acknowledged, {len(self.lost)} lost, writable again after "
            f"{self.seconds_to_write:.1f} s, verify exits {self.verify_code}"
        )


@dataclass
class Writers:
    """People who write until they are told to stop, and remember what was acknowledged."""

    who: Visitor
    prefix: str
    acknowledged: list[str] = field(default_factory=list)
    is_over: bool = False

    async def write(self, number: int) -> None:
        count = 0
        while not self.is_over:
            count += 1
            name = f"{self.prefix}-{number}-{count}"
            body = {"email": f"{name}@example.com", "name": name}
            answer = await self.who.ask("POST", "/v1/customers", body, name)
            if answer is not None and answer.status == 201:
                self.acknowledged.append(answer.value["id"])
            else:
                await asyncio.sleep(_POLL_SECONDS)


@dataclass
class Following:
    """A continuous backup that runs; what it says is in its log."""

    process: asyncio.subprocess.Process
    log: Path

    async def until_protected(self, times: int) -> None:
        """Until it has said this often that commits wait."""
        async with asyncio.timeout(_PROTECTED_SECONDS):
            while self.log.read_text().count("every commit waits") < times:
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(_POLL_SECONDS)


@asynccontextmanager
async def following(tree: Tree, folder: Path) -> AsyncIterator[Following]:
    """`bursar backup --continuous` for the length of the block."""
    path = tree.folder / "backup.log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bursar.main", "backup", str(folder), "--continuous"),
            env=tree.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield Following(process, path)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 20)


async def lose_everything(tree: Tree, who: Visitor, backup: Path, name: str) -> Round:
    """One round: write, lose, bring back, count."""
    writers = Writers(who, name)
    tasks = [asyncio.create_task(writers.write(number)) for number in range(WRITERS)]
    await asyncio.sleep(LOAD_SECONDS)
    before = len(writers.acknowledged)
    _destroy(tree)
    began = time.monotonic()
    restore = await tree.command("restore", str(backup), "--no-verify")
    out, _ = await restore.communicate()
    assert restore.returncode == 0, out.decode()
    print(f"disaster: in place after {time.monotonic() - began:.1f} s", flush=True)
    while len(writers.acknowledged) == before:
        assert time.monotonic() - began < _FOUND_SECONDS, tree.last_words()
        await asyncio.sleep(_POLL_SECONDS)
    seconds = time.monotonic() - began
    writers.is_over = True
    await asyncio.gather(*tasks)
    lost = await _missing(who, writers.acknowledged)
    verify = await tree.command("verify", "--format", "json")
    said, _ = await verify.communicate()
    assert verify.returncode is not None
    return Round(len(writers.acknowledged), lost, seconds, verify.returncode, said.decode())


def _destroy(tree: Tree) -> None:
    """The server is shot, and its whole folder and the signed heads beside it are gone."""
    for pid in tree.pids(Part.POSTGRES):
        os.kill(pid, signal.SIGKILL)
    gone = tree.folder / "lost"
    tree.postgres_dir.rename(gone)  # in one step: what is dying still writes
    shutil.rmtree(gone, ignore_errors=True)

    (tree.postgres_dir.parent / "anchors.jsonl").unlink(missing_ok=True)


async def _missing(who: Visitor, acknowledged: list[str]) -> list[str]:
    """Which of these customers are not there."""
    found: set[str] = set()
    after = ""
    while True:
        page = await _page(who, f"/v1/customers?limit=100{after}")
        found |= {each["id"] for each in page["data"]}
        if page["meta"]["nextCursor"] is None:
            return sorted(set(acknowledged) - found)
        after = f"&after={page['meta']['nextCursor']}"


async def _page(who: Visitor, path: str) -> Any:
    """A piece of a list; asked for again while the server still catches up."""
    async with asyncio.timeout(_FOUND_SECONDS):
        while True:
            answer = await who.ask("GET", path)
            if answer is not None and answer.status == 200:
                return answer.page
            await asyncio.sleep(_POLL_SECONDS)


async def disasters(rounds: int) -> list[Round]:
    """Round after round on one installation and one folder."""
    async with running() as tree, visitor(tree, "owner@example.com") as who:
        backup = tree.folder / "second"
        found = []
        async with following(tree, backup) as follower:
            for number in range(1, rounds + 1):
                await follower.until_protected(number)
                found.append(await lose_everything(tree, who, backup, f"round{number}"))
                print(f"disaster: round {number}: {found[-1].told()}", flush=True)
        return found


def main() -> int:
    """As many rounds as wanted; 1 when one of them went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    found = asyncio.run(disasters(parser.parse_args().rounds))
    acknowledged = sum(each.acknowledged for each in found)
    lost = sum(len(each.lost) for each in found)
    print(f"disaster: {len(found)} rounds, {acknowledged} acknowledged, {lost} lost")
    for each in found:
        if not each.is_good:
            print(each.said)
    return 0 if all(each.is_good for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
