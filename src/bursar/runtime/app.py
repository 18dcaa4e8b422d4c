"""The application as a value, and the one runner of verbs.

`caller.run` is where a transaction begins and ends, where permission is checked, where an
idempotency key is claimed and answered, and where an operation is logged; nothing else does any of
these. `caller.look` is its read-only sibling.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Concatenate, Final, Generic, ParamSpec, TypeVar
from uuid import UUID

from msgspec import Struct, field
from opentelemetry.trace import Tracer

from bursar.domain.access import (
    Actor,
    ApiKey,
    Operator,
    Permission,
    Person,
    Role,
    Standing,
    System,
    actor_label,
)
from bursar.domain.documents import DocumentRenderer
from bursar.domain.frozen import printed, replace
from bursar.domain.ids import OrgId, PaymentId, print_id, uuid_of
from bursar.domain.mails import Mailer
from bursar.domain.orgs import Mode
from bursar.domain.provider import PaymentProvider
from bursar.domain.refusals import (
    IdempotencyInProgress,
    IdempotencyMismatch,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    ProviderNotConfigured,
    TaskSuperseded,
)
from bursar.domain.sending import WebhookSender
from bursar.domain.tax_engine import TaxEngine
from bursar.domain.times import Instant
from bursar.runtime import doors, tracing
from bursar.runtime.batcher import Batcher
from bursar.runtime.crypto import KeyRing
from bursar.runtime.db import Binding, Database, ReadTx, Record, Tx
from bursar.runtime.doors import FoundKey, Receipt
from bursar.runtime.entrances import Entrance
from bursar.runtime.idempotency import Answer, Idempotency, Replayed, locked_up, opened
from bursar.runtime.known_answers import KnownAnswers
from bursar.runtime.known_keys import KnownHashes, KnownKeys
from bursar.runtime.limits import RateLimiter
from bursar.runtime.logging import get_log
from bursar.runtime.passwords import Passwords
from bursar.runtime.probing import Probe
from bursar.runtime.pulse import SeenSessions
from bursar.runtime.queue import TaskClaim, TaskQueue
from bursar.runtime.settings import Settings
from bursar.runtime.sql import Query
from bursar.runtime.telemetry import Telemetry
from bursar.runtime.tokens import AccessTokens

Command = TypeVar("Command")
Result = TypeVar("Result")
Args = ParamSpec("Args")

NO_SCOPE: Final = UUID(int=0)
MACHINE: Final = UUID(int=1)  # sec.machine(): the scope of what spans organizations
_KEYS_ASKED: Final = "api keys"
_GLANCES_MAX: Final = 32  # documents that are in memory at once for it
_GLANCES_LANES: Final = 4

log = get_log()


class Operation(Struct, Generic[Command, Result], frozen=True):
    """One verb: one transaction, one permission."""

    name: str
    requires: Permission
    act: Callable[[Tx, Command], Awaitable[Result]]


class Look(Struct, Generic[Args, Result], frozen=True):
    """One question: one read-only transaction, one permission."""

    name: str
    requires: Permission
    ask: Callable[Concatenate[ReadTx, Args], Awaitable[Result]]
    is_survey: bool = False


class Glance(Struct, Generic[Args, Result], frozen=True):
    """A question that one statement answers, the one that enters; one permission.

    The statement answers as many of them as are asked, and `read` each by its row.
    """

    name: str
    requires: Permission
    statement: Query
    arguments: Callable[Args, tuple[object, ...]]
    read: Callable[Concatenate[Record, Args], Result]


def operation(
    *, requires: Permission
) -> Callable[[Callable[[Tx, Command], Awaitable[Result]]], Operation[Command, Result]]:
    """Make a verb of an async function of a transaction and a command."""
    return lambda act: Operation(act.__name__, requires, act)


def query(
    *, requires: Permission, is_survey: bool = False
) -> Callable[[Callable[Concatenate[ReadTx, Args], Awaitable[Result]]], Look[Args, Result]]:
    """Make a question of an async function of a read-only transaction.

    A survey looks at all there is, and may take minutes; it is asked by operators, not over HTTP.
    """
    return lambda ask: Look(ask.__name__, requires, ask, is_survey)


def glance(
    *, requires: Permission, statement: Query, arguments: Callable[Args, tuple[object, ...]]
) -> Callable[[Callable[Concatenate[Record, Args], Result]], Glance[Args, Result]]:
    """Make a question of a function of one row, for what is asked more often than anything else.

    The statement enters and reads in one round trip (see `Database.glance`), which those share who
    ask at the same time by the same credential.
    """
    return lambda read: Glance(read.__name__, requires, statement, arguments, read)


async def no_checkpoint(_point: str) -> None:
    """Outside tests nothing happens at a named point."""


class App(Struct, frozen=True, kw_only=True):
    """Everything that is plugged in, once, by `main`."""

    settings: Settings
    database: Database
    probe: Probe
    keys: KeyRing
    context_key: bytes
    passwords: Passwords
    access_tokens: AccessTokens
    boot_id: UUID
    queue: TaskQueue
    providers: Mapping[Mode, PaymentProvider]
    sender: WebhookSender
    mailer: Mailer
    renderer: DocumentRenderer
    taxes: TaxEngine
    limiter: RateLimiter
    telemetry: Telemetry
    wake: Callable[[], None]
    woken: asyncio.Event
    batcher: Batcher = field(default_factory=Batcher)
    known_hashes: KnownHashes = field(default_factory=KnownHashes)
    known_keys: KnownKeys = field(default_factory=KnownKeys)
    known_answers: KnownAnswers = field(default_factory=KnownAnswers)
    sessions: SeenSessions = field(default_factory=SeenSessions)
    checkpoint: Callable[[str], Awaitable[None]] = no_checkpoint
    tracer: Tracer | None = None

    def __repr__(self) -> str:
        return printed(self, without="context_key")

    async def find_api_key(self, hashes: list[bytes]) -> FoundKey | None:
        """The organization and scopes behind a key's keyed hash (one per key of the ring).

        Keys that arrive while others are looked up are looked up together, next: a flood of keys
        that nobody has takes one connection, and hardly any of the database's time.
        """
        found = self.known_keys.get(hashes[0])
        if found is None:
            found = await self.batcher.submit(_KEYS_ASKED, hashes, self._find_api_keys)
            if found is not None:
                self.known_keys.put(hashes[0], found)
        return found

    async def _find_api_keys(self, asked: Sequence[list[bytes]]) -> list[FoundKey | None]:
        async with self.database.machine() as connection:
            return await doors.find_api_keys(connection, asked)

    async def glanced(
        self, binding: Binding, statement: Query, asked: tuple[object, ...]
    ) -> tuple[Entrance, Record]:
        """Whether this credential is good now, and the row of what is asked.

        Those who ask by one credential while others of theirs are answered are answered together,
        next: a credential is looked at once, and always after whoever shows it has come.
        """
        who = binding.scope, binding.user_id, binding.session_id, binding.api_key_id

        async def glance(together: Sequence[tuple[object, ...]]) -> list[tuple[Entrance, Record]]:
            entrance, rows = await self.database.glance(binding, statement, together)
            return [(entrance, row) for row in rows]

        answered: tuple[Entrance, Record] = await self.batcher.submit(
            (statement, *who), asked, glance, lanes=_GLANCES_LANES, size_max=_GLANCES_MAX
        )
        return answered

    async def keep_delivered(self, receipt: Receipt) -> bool:
        """Record a good answer to a delivery together with others; or it is to be settled alone.

        Those who come while a commit is in flight share the next one, whosever they are.
        """
        await self.checkpoint("settle_delivery.before_commit")
        is_kept: bool = await self.batcher.submit("receipts", receipt, self._keep_delivered)
        if is_kept:
            await self.checkpoint("settle_delivery.after_commit")
        return is_kept

    async def _keep_delivered(self, receipts: Sequence[Receipt]) -> list[bool]:
        machine = Binding(
            context_key=self.context_key,
            scope=MACHINE,
            org_id=OrgId(print_id("org", MACHINE)),
            actor=actor_label(System("worker")),
            request_id="",
        )
        keep = partial(doors.keep_delivered, receipts=receipts)
        kept = await self.database.span(machine, keep)
        return [each.delivery_id in kept for each in receipts]

    async def org_of_payment(self, payment_id: PaymentId) -> OrgId | None:
        """The organization of a payment that a provider's event names."""
        async with self.database.machine() as connection:
            return await doors.org_of_payment(connection, payment_id)

    async def payment_of_reference(self, *, provider: str, reference: str) -> PaymentId | None:
        """The payment that a provider's event names by the provider's own name for it."""
        async with self.database.machine() as connection:
            return await doors.payment_of_reference(
                connection, provider=provider, reference=reference
            )

    async def books_read_until(self, provider: str) -> Instant | None:
        """How far a processor's books were read."""
        async with self.database.machine() as connection:
            return await doors.books_read_until(connection, provider)

    async def payout_read(self, *, provider: str, reference: str) -> str | None:
        """The state in which a payout was last read for every organization."""
        async with self.database.machine() as connection:
            return await doors.payout_read(connection, provider=provider, reference=reference)

    async def note_payout_read(self, *, provider: str, reference: str, status: str) -> None:
        """Every organization's share of a payout in this state is booked."""
        async with self.database.machine() as connection:
            await doors.note_payout_read(
                connection, provider=provider, reference=reference, status=status
            )


class Caller(Struct, frozen=True, kw_only=True):
    """Who acts, where, and under which request; the only thing that can run a verb."""

    app: App
    org_id: OrgId | None
    actor: Actor
    request_id: str
    reason: str | None = None
    address: str | None = None
    user_agent: str | None = None
    idempotency: Idempotency | None = None
    claim: TaskClaim | None = None
    is_dry_run: bool = False

    def as_org(self, org_id: OrgId) -> "Caller":
        """The same caller in another organization."""
        return replace(self, org_id=org_id)

    def provider(self, mode: Mode) -> PaymentProvider:
        """The payment provider of an organization in this mode.

        Raises:
            ProviderNotConfigured: a live organization, and no live provider.
        """
        found = self.app.providers.get(mode)
        if found is None:
            raise ProviderNotConfigured(
                "No live payment provider is configured (STRIPE_SECRET_KEY)."
            )
        return found

    def provider_named(self, name: str) -> PaymentProvider:
        """The payment provider that an attempt was begun with.

        Raises:
            ProviderNotConfigured: it is not plugged in any more.
        """
        for provider in self.app.providers.values():
            if provider.name == name:
                return provider
        raise ProviderNotConfigured(f"The payment provider {name} is not configured.")

    async def run(
        self,
        verb: Operation[Command, Result],
        command: Command,
        *,
        answer: Callable[[Result], Answer | None] | None = None,
    ) -> Result:
        """Run one verb in one transaction; `answer` renders what its idempotency key replays.

        It gives None when the request goes on: another transaction will have the answer.

        Raises:
            Replayed: the key was answered before.
            Refusal: whatever the verb refuses, and missing permission or credentials.
            DatabaseAway: nothing is known; the same request may be sent again.
        """
        app, binding = self.app, self.binding()

        async def body(tx: Tx, entrance: Entrance) -> tuple[Result, Tx]:
            tx.standing = self.admit(verb.requires, entrance, binding)
            result = await verb.act(tx, command)
            said = None if answer is None or binding.key is None else answer(result)
            if said is not None:
                assert binding.key is not None
                stored = locked_up(app.keys, binding.scope, binding.key, said)
                await app.database.store_answer(tx, binding, stored)
            await app.checkpoint(f"{verb.name}.before_commit")
            return result, tx

        with tracing.span(f"operation {verb.name}"):
            result, tx = await app.database.change(binding, body, is_dry=self.is_dry_run)
        await app.checkpoint(f"{verb.name}.after_commit")
        if not self.is_dry_run and (tx.has_tasks or tx.told):
            app.wake()
            app.telemetry.told(tx.told, mode=tx.mode)
        log.info("operation.done", operation=verb.name, actor=binding.actor, org_id=self.org_id)
        return result

    async def look(
        self,
        question: Look[Args, Result] | Glance[Args, Result],
        *args: Args.args,
        **kwargs: Args.kwargs,
    ) -> Result:
        """Ask one question over one snapshot.

        Raises:
            Refusal: missing permission or credentials, or nothing found.
            DatabaseAway: PostgreSQL could not answer.
        """
        if isinstance(question, Glance):
            row = await self.glance(question, question.arguments(*args, **kwargs))
            return question.read(row, *args, **kwargs)
        binding = self.binding(is_looking=True)

        async def body(tx: ReadTx, entrance: Entrance) -> Result:
            tx.standing = self.admit(question.requires, entrance, binding)
            return await question.ask(tx, *args, **kwargs)

        database = self.app.database
        return await (database.survey if question.is_survey else database.look)(binding, body)

    async def glance(self, question: Glance[Args, Result], asked: tuple[object, ...]) -> Record:
        """The row of one question that is asked with these arguments of its statement.

        Raises:
            Refusal: missing permission or credentials.
            DatabaseAway: PostgreSQL could not answer.
        """
        binding = self.binding(is_looking=True)
        entrance, row = await self.app.glanced(binding, question.statement, asked)
        self.admit(question.requires, entrance, binding)
        return row

    async def own_mode(self, needs: Permission) -> Mode:
        """The organization's mode, told to whoever may do what needs this permission.

        Raises:
            Refusal: missing permission or credentials.
        """
        binding = self.binding(is_looking=True)

        async def body(tx: ReadTx, entrance: Entrance) -> Mode:
            self.admit(needs, entrance, binding)
            assert tx.mode is not None, "an organization is bound"
            return Mode(tx.mode)

        return await self.app.database.look(binding, body)

    async def remember(self, answer: Answer) -> None:
        """Keep a refusal's answer for the request's idempotency key: it had no other effect."""
        binding = self.binding()
        if binding.key is None:
            return
        stored = locked_up(self.app.keys, binding.scope, binding.key, answer)

        async def body(tx: Tx, entrance: Entrance) -> None:
            if entrance.key_state in {"claimed", "resumed"}:
                await self.app.database.store_answer(tx, binding, stored)

        await self.app.database.change(binding, body, is_dry=False)

    async def release(self) -> None:
        """The request failed after its key was claimed: a retry may go on at once.

        It is never lost while this process lives: without it, every retry would be told that the
        first request is still running, until the process ends.
        """
        binding = self.binding()
        if binding.key is None:
            return

        async def body(tx: Tx, _entrance: Entrance) -> None:
            await self.app.database.release_key(tx, binding)

        database, unclaimed = self.app.database, replace(binding, key=None)
        await database.insist(lambda: database.change(unclaimed, body, is_dry=False))

    def admit(self, needed: Permission, entrance: Entrance, binding: Binding) -> Standing:
        """Let the caller in, or say why not.

        Raises:
            Refusal: missing permission or credentials, or a key that is another request's.
            Replayed: the key was answered before.
        """
        if not entrance.is_credential_good:
            raise NotAuthenticated("The credential is not good any more.")
        if not entrance.is_task_ours:
            raise TaskSuperseded("Another worker took this task over.")
        role = Role(entrance.role) if entrance.role is not None else None
        if isinstance(self.actor, Person) and self.org_id is not None and role is None:
            raise NotFound(f"No organization {self.org_id}.")
        standing = Standing(self.actor, role)
        if needed not in standing.permissions:
            raise NotAllowed(
                f"This needs the permission {needed.value}.", facts={"permission": needed.value}
            )
        self._require_open(entrance)
        match entrance.key_state:
            case "running":
                raise IdempotencyInProgress("The first request with this key is still running.")
            case "mismatch":
                raise IdempotencyMismatch("This idempotency key belongs to another request.")
            case "answered":
                assert binding.key is not None
                assert entrance.answer is not None
                raise Replayed(opened(self.app.keys, binding.scope, binding.key, entrance.answer))
        return standing

    def _require_open(self, entrance: Entrance) -> None:
        """A deleted organization is one that is not, but for Bursar itself and its operator.

        Whoever deleted it may send the same request again and hear the same answer.
        """
        is_own = isinstance(self.actor, Operator | System)
        if entrance.is_deleted and not is_own and entrance.key_state != "answered":
            raise NotFound(f"No organization {self.org_id}.")

    def binding(self, *, is_looking: bool = False) -> Binding:
        """What a transaction of this caller is told."""
        actor = self.actor
        key = None if self.is_dry_run or is_looking else self.idempotency
        claim = None if is_looking else self.claim
        person = actor if isinstance(actor, Person) else None
        return Binding(
            context_key=self.app.context_key,
            scope=self._scope(),
            org_id=self.org_id or OrgId(print_id("org", self._scope())),
            actor=actor_label(actor),
            request_id=self.request_id,
            reason=self.reason,
            address=self.address,
            user_agent=self.user_agent,
            user_id=uuid_of(person.user_id) if person else None,
            session_id=uuid_of(person.session_id) if person else None,
            api_key_id=uuid_of(actor.key_id) if isinstance(actor, ApiKey) else None,
            key=key.key if key else None,
            fingerprint=key.fingerprint if key else None,
            claim=key.claim if key else None,
            boot_id=self.app.boot_id,
            job_id=claim.job_id if claim else None,
            job_token=claim.token if claim else None,
        )

    def _scope(self) -> UUID:
        """The organization; without one, the person stands for themselves."""
        if self.org_id is not None:
            return uuid_of(self.org_id)
        return uuid_of(self.actor.user_id) if isinstance(self.actor, Person) else NO_SCOPE
