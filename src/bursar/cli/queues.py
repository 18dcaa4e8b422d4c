"""`bursar queue`: how full the queues are, and what to do with dead letters."""

from typing import Annotated

import typer

from bursar.cli.desk import Yes, confirm, desk, operator
from bursar.cli.output import Output, Quiet, say, show_list
from bursar.domain.shapes.queues import (
    AgendaKindOut,
    DeadLetterGroupOut,
    DeadLetterOut,
    QueueDecisionOut,
    QueueOut,
)
from bursar.domain.tasks import Queue
from bursar.operations.queues import (
    DiscardLetters,
    PauseQueue,
    ResumeQueue,
    RetryAlike,
    RetryLetters,
    discard_letters,
    pause_queue,
    resume_queue,
    retry_alike,
    retry_letters,
)
from bursar.reads.queues import (
    agenda_kinds,
    dead_letter_groups,
    dead_letters,
    queue_decisions,
    queue_loads,
)
from bursar.runtime.app import App

group = typer.Typer(help="Queues and dead letters.", no_args_is_help=True)

_QUEUE_COLUMNS = ("queue", "waiting", "running", "held", "oldestSeconds", "p95Ms", "isPaused")
_HELD_COLUMNS = ("jobId", "queue", "kind", "orgId", "attempts", "error", "heldAt")
_GROUP_COLUMNS = ("queue", "kind", "error", "letters", "example", "lastHeldAt")
_AGENDA_COLUMNS = ("kind", "waiting", "due", "firstAt")
_DECISION_COLUMNS = ("decidedAt", "decision", "queue", "jobIds", "decidedBy", "reason")
_SHOWN_MAX = 1_000

Why = Annotated[str, typer.Option("--reason", help="Why, for the record.")]


@group.command("list")
def list_queues(
    context: typer.Context,
    *,
    held: Annotated[bool, typer.Option("--held", help="The dead letters instead.")] = False,
    groups: Annotated[
        bool, typer.Option("--groups", help="The dead letters by what they have in common.")
    ] = False,
    output: Output = None,
) -> None:
    """List the queues, or the jobs that ran out of attempts."""
    at = desk(context)
    if groups:
        alike = at.ask_nowhere(lambda caller: caller.look(dead_letter_groups))
        show_list([*map(DeadLetterGroupOut.of, alike)], _GROUP_COLUMNS, output)
    elif held:
        letters = at.ask_nowhere(lambda caller: caller.look(dead_letters, None, _SHOWN_MAX))
        show_list([*map(DeadLetterOut.of, letters)], _HELD_COLUMNS, output)
    else:
        loads = at.ask_nowhere(lambda caller: caller.look(queue_loads))
        show_list([*map(QueueOut.of, loads)], _QUEUE_COLUMNS, output)


@group.command("agenda")
def agenda(context: typer.Context, *, output: Output = None) -> None:
    """List what waits for its time, by kind."""
    found = desk(context).ask_nowhere(lambda caller: caller.look(agenda_kinds))
    show_list([*map(AgendaKindOut.of, found)], _AGENDA_COLUMNS, output)


@group.command("decisions")
def decisions(context: typer.Context, *, output: Output = None) -> None:
    """List what was decided about queues: who retried, discarded, paused, and why."""
    found = desk(context).ask_nowhere(lambda caller: caller.look(queue_decisions, _SHOWN_MAX))
    show_list([*map(QueueDecisionOut.of, found)], _DECISION_COLUMNS, output)


@group.command("retry")
def retry(context: typer.Context, job_id: int, *, quiet: Quiet = False) -> None:
    """Give a dead letter all its attempts again."""

    async def act(app: App) -> None:
        await operator(app, None).run(retry_letters, RetryLetters((job_id,)))
        app.wake()

    desk(context).with_app(act)
    say(f"job {job_id} runs again", is_quiet=quiet)


@group.command("retry-alike")
def retry_all_alike(
    context: typer.Context,
    queue: Queue,
    kind: str,
    error: str,
    *,
    per_second: Annotated[int, typer.Option(min=1, max=1000, help="How many a second.")] = 10,
    quiet: Quiet = False,
) -> None:
    """Retry every dead letter that failed alike, as `queue list --groups` names them."""

    async def act(app: App) -> int:
        command = RetryAlike(queue, kind, error, per_second)
        count = await operator(app, None).run(retry_alike, command)
        app.wake()
        return count

    count = desk(context).with_app(act)
    say(f"{count} jobs run again, {per_second} a second", is_quiet=quiet)


@group.command("discard")
def discard(
    context: typer.Context,
    job_id: int,
    *,
    reason: Why = "",
    yes: Yes = False,
    quiet: Quiet = False,
) -> None:
    """Throw a dead letter away: what it would have done is not done."""
    confirm(f"Discard job {job_id}?", is_agreed=yes)

    async def act(app: App) -> int:
        caller = operator(app, None, reason=reason or None)
        return await caller.run(discard_letters, DiscardLetters((job_id,)))

    desk(context).with_app(act)
    say(f"job {job_id} is discarded", is_quiet=quiet)


@group.command("pause")
def pause(context: typer.Context, queue: Queue, *, reason: Why, quiet: Quiet = False) -> None:
    """Let nobody claim from a queue; what runs is finished."""
    command = PauseQueue(queue, reason)
    is_changed = desk(context).ask_nowhere(lambda caller: caller.run(pause_queue, command))
    say(f"{queue} is paused" if is_changed else f"{queue} was paused", is_quiet=quiet)


@group.command("resume")
def resume(context: typer.Context, queue: Queue, *, quiet: Quiet = False) -> None:
    """Have a queue worked again."""

    async def act(app: App) -> bool:
        is_changed = await operator(app, None).run(resume_queue, ResumeQueue(queue))
        app.wake()
        return is_changed

    is_changed = desk(context).with_app(act)
    say(f"{queue} is worked again" if is_changed else f"{queue} was not paused", is_quiet=quiet)
