"""Answers: one resource in `data`, or a list of them with `meta`; nothing else makes a good answer.

An answer is bytes from here on, so that what an idempotency key repeats is what was said, letter
for letter. A resource that carries a version is answered with it as its `ETag`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, ParamSpec, TypeVar

import msgspec

from bursar.domain.shapes.render import json_of
from bursar.runtime.app import Caller, Glance, Operation
from bursar.runtime.idempotency import Answer

Command = TypeVar("Command")
Result = TypeVar("Result")
Args = ParamSpec("Args")
Reply = Callable[[Result], Answer]
Telling = Callable[[Caller, Result], Answer]
"""Writes a reply alike for all who may ask for it in an organization."""

JSON: Final = "application/json"
NO_CONTENT: Final = Answer(204, b"")


def resource(
    shape: msgspec.Struct,
    *,
    status: int = 200,
    location: str | None = None,
    more: Mapping[str, object] | None = None,
) -> Answer:
    """One resource; `location` names where a new one is found, `more` are fields that come last."""
    headers: list[tuple[str, str]] = []
    version = getattr(shape, "version", None)
    if version is not None:
        headers.append(("ETag", f'"{version}"'))
    if location is not None:
        headers.append(("Location", location))
    told = json_of(shape)
    if more is not None:
        told = told[:-1] + b"," + encoded(more)[1:]
    return Answer(status, b'{"data":' + told + b"}", tuple(headers))


def found(shape: Callable[[Result], msgspec.Struct], status: int = 200) -> Reply[Result]:
    """Replies with what a verb gave, in this shape."""
    return lambda result: resource(shape(result), status=status)


def created(shape: Callable[[Result], msgspec.Struct], under: str) -> Reply[Result]:
    """Replies 201 with a new resource and where it is: its id under this path."""

    def reply(result: Result) -> Answer:
        made = shape(result)
        return resource(made, status=201, location=f"{under}/{made.id}")  # type: ignore[attr-defined]  # every resource that is created has an id

    return reply


def gone(_result: object) -> Answer:
    """Replies 204: there is nothing left to show."""
    return NO_CONTENT


def all_of(shapes: Iterable[msgspec.Struct]) -> Answer:
    """A list that is always whole."""
    return Answer(200, encoded({"data": list(shapes)}))


def encoded(body: Mapping[str, object]) -> bytes:
    """The one way an answer's body is written."""
    return msgspec.json.encode(body)


def once(reply: Reply[Result]) -> Reply[Result]:
    """The same reply, which is not worked out again for the result it had last."""
    known: list[tuple[Result, Answer]] = []

    def told(result: Result) -> Answer:
        if not known or known[0][0] is not result:
            known[:] = [(result, reply(result))]
        return known[0][1]

    return told


async def changed(
    caller: Caller,
    verb: Operation[Command, Result],
    command: Command,
    reply: Reply[Result],
) -> Answer:
    """Runs one verb and replies; the idempotency key keeps the same reply."""
    reply = once(reply)
    return reply(await caller.run(verb, command, answer=reply))


async def shown(
    caller: Caller,
    question: Glance[Args, Result],
    telling: Telling[Result],
    *args: Args.args,
    **kwargs: Args.kwargs,
) -> Answer:
    """Looks and replies; what was told here and is still so is not read and written again.

    The last argument of the question's statement is the mark that is known, and it gives the mark
    that holds: of all that it reads, seen by whoever asks now.
    """
    *asked, _ = question.arguments(*args, **kwargs)
    answers, spot = caller.app.known_answers, (telling, caller.org_id, *asked)
    known = answers.get(spot)
    row = await caller.glance(question, (*asked, known and known.mark))
    if known is not None and row["mark"] == known.mark:
        return known.answer
    answer = telling(caller, question.read(row, *args, **kwargs))
    answers.put(spot, row["mark"], answer)
    return answer


async def travelled(journey: Awaitable[Result], reply: Reply[Result]) -> Answer:
    """Waits for a journey, which keeps the reply itself, and replies."""
    return reply(await journey)
