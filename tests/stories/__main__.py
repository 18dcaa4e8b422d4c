"""Plays stories and prints what comes of them: `python -m tests.stories [--keep] [NAME …]`.

With `--keep` it writes what came of a story into its file, for whoever has checked it.
"""

import asyncio
import sys

from tests.stories.acting import Stage
from tests.stories.script import FOLDER, read, wrong_sums
from tests.support.database import installation
from tests.support.world import open_world

from bursar.runtime import logging


async def main(names: list[str], *, is_kept: bool) -> None:
    """Each of them, in a world of its own organization."""
    logging.configure(level="error", is_development=True)
    async with installation() as house, open_world(house) as world:
        for path in sorted(FOLDER.glob("*.txt")):
            if names and path.stem not in names:
                continue
            script = read(path)
            print(f"### {path.stem}")
            try:
                told = await Stage(await world.org(), script).play()
            except Exception as failed:  # noqa: BLE001 - the next story is told all the same
                print(f"it failed: {failed!r}")
                continue
            if is_kept:
                head = path.read_text("utf-8").partition("== timeline\n")[0]
                path.write_text(head + told, "utf-8")
            print(told if told.splitlines() != script.told.splitlines() else "as it is told")
            print(*wrong_sums(read(path)), sep="\n")


given = sys.argv[1:]
asyncio.run(main([each for each in given if each != "--keep"], is_kept="--keep" in given))
