"""How far long work is, where somebody watches: on a terminal, unless they want it quiet."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """Nothing until something was done."""
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s")


class Teller:
    """Says how far the work is."""

    def __init__(self, progress: Progress | None, work: str, total: int) -> None:
        self._progress = progress
        self._task = None if progress is None else progress.add_task(work, total=total)

    def done(self, count: int) -> None:
        """So many more; what is due again while it is worked on makes the whole longer."""
        if self._progress is None or self._task is None:
            return
        self._progress.advance(self._task, count)
        (task,) = self._progress.tasks
        if task.total is not None and task.completed > task.total:
            self._progress.update(self._task, total=task.completed)


@contextmanager
def told(work: str, total: int, *, is_quiet: bool) -> Iterator[Teller]:
    """A bar while the work goes on."""
    if is_quiet or not sys.stderr.isatty():
        yield Teller(None, work, total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Teller(progress, work, total)
