"""`bursar queue`: how full the queues are, and what to do with dead letters."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

import typer

from bursar.cli.desk import Output, Quiet, Yes, confirm, desk
from bursar.cli.output import say, show_list
from bursar.domain.refusals import NotFound
from bursar.runtime.app import App
from bursar.runtime.queue import Connection, Depth, Held

group = typer.Typer(help="Queues and dead letters.", no_args_is_help=True)

_QUEUE_COLUMNS = ("queue", "waiting", "running", "held", "lag_seconds")
_HELD_COLUMNS = ("job_id", "queue", "kind", "org_id", "attempts", "error", "held_at")


@dataclass(frozen=True, slots=True)
class Letters:
    """The queues and what is held."""

    depths: tuple[Depth, ...]
    held: tuple[Held, ...]


@group.command("list")
def list_queues(
    context: typer.Context,
    *,
    held: Annotated[bool, typer.Option("--held", help="The dead letters instead.")] = False,
    output: Output = None,
) -> None:
    """List the queues, or with --held the jobs that ran out of attempts."""

    async def act(app: App) -> Letters:
        async with app.database.machine() as connection:
            return Letters(await app.queue.depth(connection), await app.queue.held(connection))

    found = desk(context).with_app(act)
    if held:
        show_list(found.held, _HELD_COLUMNS, output)
    else:
        show_list(found.depths, _QUEUE_COLUMNS, output)


@group.command("retry")
def retry(context: typer.Context, job_id: int, *, quiet: Quiet = False) -> None:
    """Give a dead letter all its attempts again."""

    async def act(app: App) -> None:
        await _on_held(app, job_id, app.queue.requeue)
        app.wake()

    desk(context).with_app(act)
    say(f"job {job_id} runs again", is_quiet=quiet)


@group.command("discard")
def discard(context: typer.Context, job_id: int, *, yes: Yes = False, quiet: Quiet = False) -> None:
    """Throw a dead letter away: what it would have done is not done."""
    confirm(f"Discard job {job_id}?", is_agreed=yes)

    async def act(app: App) -> None:
        await _on_held(app, job_id, app.queue.discard)

    desk(context).with_app(act)
    say(f"job {job_id} is discarded", is_quiet=quiet)


async def _on_held(
    app: App, job_id: int, change: Callable[[Connection, int], Awaitable[bool]]
) -> None:
    async with app.database.machine() as connection:
        if not await change(connection, job_id):
            raise NotFound(f"No dead letter {job_id}.")
