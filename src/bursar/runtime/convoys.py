"""Many requests of one organization in one transaction, each as if it were alone.

A convoy admits every request as `caller.run` would: its credential, its permission and its
idempotency key are looked at in the transaction that does the work, and its answer is kept there.
One that is refused leaves its neighbors alone. A request whose key was seen before, or that only
tries, goes alone by `caller.run`, and is told so.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar
from uuid import UUID

import asyncpg.exceptions as pg
from msgspec import Struct

from bursar.domain.access import Permission, System, actor_label
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.domain.refusals import Refusal
from bursar.runtime import sql
from bursar.runtime.app import Caller
from bursar.runtime.batcher import SIZE_MAX
from bursar.runtime.connections import Connection
from bursar.runtime.db import Binding, Tx
from bursar.runtime.entrances import Entrance, entrance_of
from bursar.runtime.idempotency import Answer, Idempotency, locked_up
from bursar.runtime.ids import new_uuid

Command = TypeVar("Command")
Result = TypeVar("Result")

Q: Final = sql.beside(__file__)

Credential: TypeAlias = tuple[UUID | None, UUID | None, UUID | None]
"""A person and their session, or an API key."""


class GoAlone(Exception):
    """This request cannot ride with others; nothing of it has been done."""


class Rider(Struct, Generic[Command], frozen=True):
    """One admitted request: what it asks for, and who asks, why, and in which request."""

    command: Command
    actor: str
    reason: str | None
    request_id: str


Act: TypeAlias = Callable[
    [Tx, Sequence[Rider[Command]]], Awaitable[Sequence[Result | Refusal | GoAlone]]
]
"""What it does; one of whom it finds that they cannot ride has had nothing done."""


class Convoy(Struct, Generic[Command, Result], frozen=True):
    """A verb for many requests at once: one transaction, one permission, an outcome for each.

    So many convoys of an organization as there are lanes may be under way at the same time, each of
    `size_max` requests at most.
    """

    name: str
    requires: Permission
    act: Act[Command, Result]
    lanes: int = 1
    size_max: int = SIZE_MAX


class Booking(Struct, frozen=True):
    """A request that waits for the next convoy; `begun` names what goes on after it."""

    caller: Caller
    command: Any
    answer: Callable[[Any], Answer | None]
    begun: Callable[[Any], str]


def convoy(
    *, requires: Permission, lanes: int = 1, size_max: int = SIZE_MAX
) -> Callable[[Act[Command, Result]], Convoy[Command, Result]]:
    """Make a convoy of an async function of a transaction and its riders."""
    return lambda act: Convoy(act.__name__, requires, act, lanes, size_max)


async def ride(verb: Convoy[Command, Result], booking: Booking) -> Result:
    """Run one request in the next convoy of its organization.

    Raises:
        GoAlone: it is only tried, or its idempotency key was seen before.
        Refusal: whatever the verb refuses, and missing permission or credentials.
        DatabaseAway: nothing is known; the same request may be sent again.
    """
    caller = booking.caller
    if caller.is_dry_run or caller.claim is not None or caller.org_id is None:
        raise GoAlone
    app = caller.app

    async def act(bookings: Sequence[Booking]) -> Sequence[Any]:
        return await _ridden(verb, bookings)

    line = verb.name, caller.org_id
    result: Result = await app.batcher.submit(
        line, booking, act, lanes=verb.lanes, size_max=verb.size_max
    )
    return result


class _Gate:
    """Where all of a convoy enter by one statement; it knows afterwards what each credential is."""

    def __init__(self, scope: UUID, bindings: Sequence[Binding]) -> None:
        self._scope = scope
        self._credentials = list(dict.fromkeys(map(_credential, bindings)))
        self._keys = [binding.key for binding in bindings if binding.key is not None]
        self.entrances: dict[Credential, Entrance] = {}
        self.seen: Sequence[str] = ()

    async def enter(self, connection: Connection, context: str) -> Entrance:
        """What one of them is told, and so are all: of the organization, and of the time."""
        columns = map(list, zip(*self._credentials, strict=True))
        rows = await connection.fetch(Q.enter_each.text, context, *columns, self._scope, self._keys)
        self.entrances = dict(zip(self._credentials, map(entrance_of, rows), strict=True))
        self.seen = rows[0]["seen"]
        return self.entrances[self._credentials[0]]


async def _ridden(verb: Convoy[Any, Any], bookings: Sequence[Booking]) -> Sequence[Any]:
    first = bookings[0].caller
    app = first.app
    leader = replace(
        first, actor=System("convoy"), idempotency=None, reason=None, request_id=str(new_uuid())
    )

    bindings = [booking.caller.binding() for booking in bookings]
    gate = _Gate(bindings[0].scope, bindings)

    async def body(tx: Tx, _entrance: Entrance) -> tuple[list[Any], Tx]:
        outcomes = _admitted(verb.requires, bookings, bindings, gate)
        admitted = [at for at, outcome in enumerate(outcomes) if outcome is None]
        riders = [_rider(bookings[at]) for at in admitted]
        results = await verb.act(tx, riders) if riders else ()
        for at, result in zip(admitted, results, strict=True):
            outcomes[at] = result
        await _keep_answers(tx, bookings, outcomes)
        await app.checkpoint(f"{verb.name}.before_commit")
        return outcomes, tx

    outcomes, tx = await app.database.change(leader.binding(), body, is_dry=False, enter=gate.enter)
    await app.checkpoint(f"{verb.name}.after_commit")
    if tx.has_tasks or tx.told:
        app.wake()
        app.telemetry.told(tx.told, mode=tx.mode)
    app.telemetry.shared_commit(verb.name, requests=len(bookings))
    return outcomes


def _admitted(
    needed: Permission,
    bookings: Sequence[Booking],
    bindings: Sequence[Binding],
    gate: "_Gate",
) -> list[Any]:
    """For each request why it may not ride, or None."""
    seen = set(gate.seen)
    outcomes: list[Exception | None] = []
    for booking, binding in zip(bookings, bindings, strict=True):
        refusal: Exception | None = _refusal(
            booking.caller, needed, gate.entrances[_credential(binding)], binding
        )
        if refusal is None and binding.key is not None:
            # The same key twice in one convoy: the second will find the first one's answer.
            refusal = GoAlone() if binding.key in seen else None
            seen.add(binding.key)
        outcomes.append(refusal)
    return outcomes


def _credential(binding: Binding) -> Credential:
    return binding.user_id, binding.session_id, binding.api_key_id


def _refusal(
    caller: Caller, needed: Permission, entrance: Entrance, binding: Binding
) -> Refusal | None:
    try:
        caller.admit(needed, entrance, binding)
    except Refusal as refusal:
        return refusal
    return None


def _rider(booking: Booking) -> Rider[Any]:
    caller = booking.caller
    return Rider(booking.command, actor_label(caller.actor), caller.reason, caller.request_id)


async def _keep_answers(tx: Tx, bookings: Sequence[Booking], outcomes: Sequence[Any]) -> None:
    """Answers commit with their effects; a refusal had none, and is kept by whoever says it."""
    kept = [
        _kept(booking, booking.caller.idempotency, outcome)
        for booking, outcome in zip(bookings, outcomes, strict=True)
        if booking.caller.idempotency is not None and not isinstance(outcome, Exception)
    ]
    if not kept:
        return
    columns = map(list, zip(*kept, strict=True))
    boot_id = bookings[0].caller.app.boot_id
    touched = await tx.execute(Q.keep_answers, uuid_of(tx.org_id), boot_id, *columns)
    if touched != len(kept):
        # Another process has taken one of the keys since: all of it is decided again.
        raise pg.SerializationError("an idempotency key was taken in the meantime")


def _kept(booking: Booking, key: Idempotency, outcome: Any) -> tuple[object, ...]:
    said = booking.answer(outcome)
    answer = begun = None
    if said is None:
        begun = uuid_of(booking.begun(outcome))
    else:
        caller = booking.caller
        assert caller.org_id is not None
        answer = locked_up(caller.app.keys, uuid_of(caller.org_id), key.key, said)
    return key.key, key.fingerprint, key.claim, answer, begun
