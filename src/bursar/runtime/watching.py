"""Waits for a change in folders of source, by looking again and again at when files were saved.

It needs no library and works on every file system. What is built, hidden or compiled is no source.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Final

EVERY_SECONDS: Final = 0.5
_APART: Final = frozenset({"__pycache__", "node_modules"})
_COMPILED: Final = (".pyc", ".pyo")

Saved = Mapping[str, int]


async def changes(*folders: Path, every_seconds: float = EVERY_SECONDS) -> AsyncIterator[str]:
    """The path of a file that was saved, made or removed, each time that any was."""
    before = await asyncio.to_thread(saved, *folders)
    while True:
        await asyncio.sleep(every_seconds)
        now = await asyncio.to_thread(saved, *folders)
        changed = now.items() ^ before.items()
        before = now
        if changed:
            yield min(path for path, _ in changed)


def saved(*folders: Path) -> Saved:
    """When each source file in these folders was saved."""
    return {path: at for folder in folders for path, at in _files(os.fspath(folder))}


def _files(folder: str) -> Iterator[tuple[str, int]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return  # it went while we looked
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _APART or entry.name.endswith(_COMPILED):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
            continue
        try:
            yield entry.path, entry.stat().st_mtime_ns
        except OSError:
            continue
