"""`make watch`: tests run again whenever something of ours is saved, until Ctrl-C."""

import asyncio
import sys

from tests.support.reference import ROOT

from bursar.runtime.watching import changes

FOLDERS = ("src", "tests", "bench", "clients", "docs", "deploy")


async def run_again(arguments: list[str]) -> None:
    """Once now, and once after each change; one that comes meanwhile is not lost."""
    saved = changes(*(ROOT / name for name in FOLDERS))
    while True:
        change = asyncio.ensure_future(anext(saved))
        command = (sys.executable, "-m", "pytest", *arguments)
        await (await asyncio.create_subprocess_exec(*command, cwd=ROOT)).wait()
        print("waiting for a change", flush=True)
        print(f"{await change} changed", flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(run_again(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
