"""The whole application in process: a sandbox processor without sockets, a postman who notes.

Builders read like a story: `org = await world.org()`, `customer = await org.customer()`. Nothing of
Bursar is replaced; only what is outside of it (processor, receivers of webhooks) is played here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any, Final
from uuid import uuid4

from tests.support.database import Installation
from tests.support.sandbox import BASE_URL, InProcessClient, browse

from bursar.domain.access import Operator, Person, System
from bursar.domain.customers import Customer
from bursar.domain.drafting import NewLine
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId, OrgId, SessionId, UserId, WalletId, uuid_of
from bursar.domain.invoices import Invoice
from bursar.domain.mails import Letter, Mailer, MailKind, MailOutcome, MailSent, PrintedMail
from bursar.domain.orgs import Mode
from bursar.domain.payments import Payment, PaymentMode
from bursar.domain.provider import PaymentProvider
from bursar.domain.refusals import Refusal
from bursar.domain.sending import WebhookAnswer, WebhookRequest
from bursar.domain.tasks import Queue
from bursar.domain.test_clocks import Stride, stride
from bursar.domain.times import Instant
from bursar.domain.wallets import Wallet
from bursar.flows.create_customer import create_customer_everywhere
from bursar.flows.deposit_money import deposit_money
from bursar.flows.pay_invoice import pay_invoice
from bursar.flows.receive_event import receive_event
from bursar.flows.save_method import AttachMethod, attach_method
from bursar.flows.sign_in import SignUp, sign_up
from bursar.jobs import dispatch
from bursar.jobs.handlers import run_task
from bursar.main import Strangers, build
from bursar.operations.customers import CreateCustomer
from bursar.operations.deposits import BeginDeposit
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.operations.invoices import CreateInvoice, create_invoice
from bursar.operations.orgs import UpdateOrganization, update_organization
from bursar.operations.payments import BeginPayment
from bursar.operations.test_clocks import AdvanceClock, FreezeClock, advance_clock, freeze_clock
from bursar.operations.wallets import CreateWallet, create_wallet
from bursar.providers.mail.letters import Letters
from bursar.providers.stripe.client import StripeAccount, StripeProvider
from bursar.runtime.anchors import Anchors
from bursar.runtime.app import App, Caller
from bursar.runtime.crypto import KeyRing
from bursar.runtime.idempotency import Idempotency
from bursar.runtime.passwords import Passwords
from bursar.runtime.queue import Claimed
from bursar_sandbox.core.outbox import Endpoint
from bursar_sandbox.sandbox import Sandbox, SandboxSettings

WEBHOOK_SECRET: Final = "whsec_world"
PASSWORD: Final = "Correct-horse-7-battery"
CLOCK_STEPS_MAX: Final = 5_000
ROUNDS_MAX: Final = 500
WRITERS_SECONDS: Final = 30
NEXT_WRITER: Final = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
HAVE_ENDED: Final = "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8"
_numbers = count(1)


@dataclass(repr=False)  # who prints a world does not mean all it has heard
class Postman:
    """Notes every webhook that is sent; answers 200, or whatever `mood` says."""

    sent: list[WebhookRequest] = field(default_factory=list)
    mood: Callable[[WebhookRequest], WebhookAnswer] | None = None

    async def send(self, request: WebhookRequest) -> WebhookAnswer:
        self.sent.append(request)
        if self.mood is not None:
            return self.mood(request)
        return WebhookAnswer(status=200, excerpt="", duration_ms=1)


@dataclass(repr=False)  # who prints a world does not mean all it has heard
class Mailbox(Mailer):
    """Notes every letter; the mail server takes it, or answers whatever `mood` says."""

    letters: list[Letter] = field(default_factory=list)
    mood: Callable[[Letter], MailOutcome] | None = None
    takes_files: bool = False
    printer: Letters = field(default_factory=lambda: Letters("http://localhost:3000"))

    @property
    def name(self) -> str:
        return "mailbox"

    def print_letter(self, letter: Letter) -> PrintedMail:
        return self.printer.printed(letter)

    async def send(self, letter: Letter) -> MailOutcome:
        self.letters.append(letter)
        return MailSent("1") if self.mood is None else self.mood(letter)

    def newest(self, recipient: str, kind: MailKind) -> Letter:
        """The last letter of this kind to somebody."""
        return [each for each in self.letters if (each.recipient, each.kind) == (recipient, kind)][
            -1
        ]


@dataclass
class Org:
    """An organization with its owner."""

    world: "World"
    id: OrgId
    caller: Caller
    access_token: str
    user_id: UserId

    def with_key(self, key: str | None = None) -> Caller:
        """The owner under a fresh (or the given) idempotency key."""
        text = key or f"key-{next(_numbers)}"
        return replace(self.caller, idempotency=Idempotency(text, b"f" * 32, uuid4()))

    def requests(self, count: int) -> list[Caller]:
        """So many of the owner, at once: each with an id, a reason and a key of its own."""
        return [
            replace(self.with_key(), request_id=str(uuid4()), reason=f"reason {at}")
            for at in range(count)
        ]

    async def keep_credit(self) -> None:
        """Credit waits until somebody says what it pays."""
        kept = UpdateOrganization({"is_credit_applied": False})
        await self.caller.run(update_organization, kept)

    async def customer(self, token: str | None = "pm_card_visa") -> Customer:
        """A customer, with a card that works unless told otherwise."""
        made = await create_customer_everywhere(
            self.caller,
            CreateCustomer(email=f"c{next(_numbers)}@example.com", name="Ada", metadata={}),
        )
        if token is None:
            return made
        return (await attach_method(self.caller, AttachMethod(made.id, token))).customer

    async def draft(self, customer: Customer, cents: int = 4999) -> Invoice:
        """A draft of one line."""
        return await self.caller.run(
            create_invoice,
            CreateInvoice(
                customer_id=customer.id, lines=(NewLine("Work", 1, Decimal(cents)),), metadata={}
            ),
        )

    async def invoice(self, customer: Customer, cents: int = 4999) -> Invoice:
        """An open invoice of one line."""
        made = await self.draft(customer, cents)
        return await self.caller.run(finalize_invoice, FinalizeInvoice(made.id))

    async def wallet(
        self, cents: int = 0, customer: Customer | None = None, **terms: Any
    ) -> Wallet:
        """A wallet with this much in it: a customer's, or the organization's own."""
        owner = None if customer is None else customer.id
        command = CreateWallet(name="W", customer_id=owner, **terms)
        made = await self.caller.run(create_wallet, command)
        return await self.deposit(made.id, cents) if cents else made

    async def deposit(self, wallet_id: WalletId, cents: int) -> Wallet:
        """Store money from a sandbox's outside world."""
        return (await deposit_money(self.caller, self.filling(wallet_id, cents))).wallet

    def filling(
        self,
        wallet_id: WalletId,
        cents: int,
        mode: PaymentMode | None = None,
        key: str | None = None,
    ) -> BeginDeposit:
        """The command that fills a wallet; at once, unless a mode is named."""
        return BeginDeposit(
            wallet_id=wallet_id,
            amount_minor=cents,
            mode=mode,
            attempt_key=key or f"attempt-{next(_numbers)}",
            providers={mode: each.name for mode, each in self.world.app.providers.items()},
            return_url="http://bursar.test/done",
        )

    def begin(
        self, invoice_id: InvoiceId, mode: PaymentMode = PaymentMode.CHARGE, key: str | None = None
    ) -> BeginPayment:
        """The command that collects an invoice."""
        return BeginPayment(
            invoice_id=invoice_id,
            mode=mode,
            attempt_key=key or f"attempt-{next(_numbers)}",
            providers={mode: each.name for mode, each in self.world.app.providers.items()},
            return_url="http://bursar.test/done",
        )

    async def pay(
        self, invoice_id: InvoiceId, mode: PaymentMode = PaymentMode.CHARGE, key: str | None = None
    ) -> Payment:
        """Collect an invoice as a request with this key would."""
        return await pay_invoice(self.caller, self.begin(invoice_id, mode, key))

    async def freeze(self, at: Instant | None = None) -> None:
        """Stop the organization's time."""
        await self.caller.run(freeze_clock, FreezeClock(at))

    async def advance(self, to: Instant | str, *, watch: bool = False) -> None:
        """Let the organization's time pass, with everything that is due on the way."""
        target: Instant | Stride = stride(to) if isinstance(to, str) else to
        await self.caller.run(advance_clock, AdvanceClock(target))
        await self.world.pass_time(watch=self if watch else None)


@dataclass
class World:
    """One application, its processor and its postman."""

    app: App
    house: Installation
    sandbox: Sandbox
    wire: InProcessClient
    postman: Postman
    provider: PaymentProvider
    mailbox: "Mailbox"

    async def org(self) -> Org:
        """A new organization in sandbox mode."""
        nobody = self.system(None)
        email = f"owner{next(_numbers)}-{uuid4().hex[:8]}@example.com"
        signed = await sign_up(nobody, SignUp(email, "Olga Owner", PASSWORD, "Acme"))
        assert signed.organization is not None
        assert signed.user is not None
        claims = self.app.access_tokens.read(signed.access_token, datetime.now(UTC))
        person = Person(signed.user.id, SessionId(claims.session_id))
        org_id = signed.organization.id
        caller = replace(nobody, org_id=org_id, actor=person)
        return Org(self, org_id, caller, signed.access_token, signed.user.id)

    async def verify(self, user_id: UserId) -> None:
        """Somebody's address is theirs, as if they had followed the link."""
        connection = await self.house.as_owner()
        try:
            await connection.execute("SET ROLE bursar_directory")
            query = "UPDATE directory.users SET verified_at = now() WHERE id = $1"
            await connection.execute(query, uuid_of(user_id))
        finally:
            await connection.close()

    def system(self, org_id: OrgId | None) -> Caller:
        """Bursar itself."""
        return Caller(app=self.app, org_id=org_id, actor=System("test"), request_id=str(uuid4()))

    def operator(self, org_id: OrgId) -> Caller:
        """Somebody at the command line."""
        return replace(self.system(org_id), actor=Operator("tester"))

    def type_card(self, url: str, number: str = "4242424242424242") -> str:
        """Pay on the processor's hosted page as a browser would; where it leads next."""
        card = {"number": number, "expiry": "12/34", "cvc": "123"}
        return browse(self.sandbox, "POST", url, **card).headers.get("Location", "")

    async def hear_processor(self) -> int:
        """Carry the processor's due webhooks to the inbox, as its HTTP hook does."""
        heard = 0
        for delivery in self.sandbox.take_deliveries():
            signature = delivery.headers["Stripe-Signature"]
            now = datetime.fromtimestamp(self.sandbox.now_ms / 1000, tz=UTC)
            event = self.provider.read_event(delivery.body, signature, now)
            heard += 1
            await receive_event(self.system(None), self.provider, event)
        return heard

    async def work(self) -> int:
        """Run every task that is due, whoever left it; how many there were."""
        done = 0
        for queue in Queue:
            while claimed := await self._claim(queue):
                for job in claimed:
                    await self._run(job)
                done += len(claimed)
        return done

    async def _claim(self, queue: Queue) -> list[Claimed]:
        async with self.app.database.machine() as connection:
            return await self.app.queue.claim(connection, queue, limit=100)

    async def _run(self, job: Claimed) -> None:
        """One task, as the worker does it: a refusal is put off, anything else is a fault."""
        try:
            await run_task(self.app, job)
        except Exception as error:
            async with self.app.database.machine() as connection:
                await self.app.queue.fail(connection, job, error)
            if not isinstance(error, Refusal):
                raise
        else:
            async with self.app.database.machine() as connection:
                await self.app.queue.complete(connection, job.claim)

    async def drain(self, *, watch: Org | None = None) -> None:
        """Until nothing is left to do; the time of the watchdogs of `watch` comes too."""
        for _ in range(ROUNDS_MAX):
            if watch is not None:
                await self.make_due(watch)
            busy = await self.hear_processor()
            busy += await dispatch.drain_agenda(self.app)
            busy += await self.work()
            busy += await dispatch.relay_events(self.app)
            busy += await dispatch.deliver_due(self.app)
            if not busy:
                return
            watch = None
        raise AssertionError("the world does not come to rest")

    async def pass_time(self, *, watch: Org | None = None) -> None:
        """Until every test clock that is on its way has arrived; `watch` is that of `drain`."""
        for _ in range(CLOCK_STEPS_MAX):
            await self.drain(watch=watch)
            if not await dispatch.move_clocks(self.app):
                return
        raise AssertionError("a test clock does not arrive")

    async def make_due(self, org: Org) -> None:
        """Let the wall clock reach an organization's watchdogs, leases and put-off tasks.

        What waits for business time is left alone: it is the whole future of its customers. So is
        what others wait for: there are as many of them as tests before this one.
        """
        org_id = uuid_of(org.id)
        connection = await self.house.as_owner()
        try:
            await connection.execute(
                "UPDATE agenda SET leased_until = NULL, due_at = CASE clock"
                " WHEN 'wall' THEN now() - interval '1 second' ELSE due_at END"
                " WHERE org_id = $1 AND (clock = 'wall' OR leased_until IS NOT NULL)",
                org_id,
            )
            await connection.execute(
                "UPDATE queue.pgqueuer SET execute_after = now() - interval '1 second'"
                " WHERE status = 'queued' AND headers ->> 'org' = $1",
                str(org_id),
            )
        finally:
            await connection.close()

    def anchors(self) -> Anchors:
        """Where this installation keeps its signed heads."""
        path = self.house.settings.data_dir / "anchors.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        return Anchors(path, self.app.keys)

    async def seal(self) -> None:
        """Seal every chain to its end, once whoever writes has ended: a seal stays behind them."""
        async with self.app.database.machine() as connection, asyncio.timeout(WRITERS_SECONDS):
            next_writer = await connection.fetchval(NEXT_WRITER)
            while not await connection.fetchval(HAVE_ENDED, next_writer):
                pass
        while await dispatch.seal_logs(self.app, self.anchors()):
            pass


class FamiliarPasswords(Passwords):
    """Hashes each password once: a run has thousands of owners, and all of them have the same."""

    def __init__(self, ring: KeyRing) -> None:
        super().__init__(ring)
        self._hashed: dict[str, str] = {}

    async def hash(self, password: str) -> str:
        if password not in self._hashed:
            self._hashed[password] = await super().hash(password)
        return self._hashed[password]


@asynccontextmanager
async def familiar(built: App) -> AsyncIterator[App]:
    """The application, which hashes no password twice; it checks each as it always does."""
    passwords = FamiliarPasswords(built.keys)
    try:
        yield replace(built, passwords=passwords)
    finally:
        passwords.close()


@asynccontextmanager
async def open_world(house: Installation) -> AsyncIterator[World]:
    """The application on this database, with everything outside of it played in process."""
    endpoint = Endpoint("http://bursar.test/webhooks/sandbox", WEBHOOK_SECRET)
    # No two worlds name a payment alike: they may follow each other on one database.
    told = SandboxSettings(public_url=BASE_URL, seed=uuid4().hex, endpoints=(endpoint,))
    sandbox = Sandbox(told)
    wire = InProcessClient(sandbox)
    account = StripeAccount("sandbox", sandbox.settings.secret_key, (WEBHOOK_SECRET,), BASE_URL)
    provider = StripeProvider(account, wire)
    postman = Postman()
    mailbox = Mailbox()
    strangers = Strangers({Mode.SANDBOX: provider}, postman, mailbox)
    opened = build(house.settings, part="test", app_url=house.app_url, strangers=strangers)
    async with opened as built, familiar(built) as app:
        yield World(app, house, sandbox, wire, postman, provider, mailbox)
