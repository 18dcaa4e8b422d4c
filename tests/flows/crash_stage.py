"""Where stories of crashes are told: one application, its processor, and the power switch.

A crash unwinds the journey; `reboot` makes what is left a new process: another boot id, whose
sign of life is up while that of the dead one is gone. Organization and processor are begun anew
now and then, so that neither grows with the number of stories.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
from msgspec.structs import force_setattr
from tests.api.client import Client
from tests.flows.crash_plan import (
    ASKING_METHOD,
    BAD_METHOD,
    CHARGES,
    GOOD_METHOD,
)
from tests.support import lanes
from tests.support.auditor import Auditor
from tests.support.crash import (
    PROVIDER_VERBS,
    Crash,
    Failed,
    Fuse,
    Tapped,
    TappedBatcher,
    TappedMailer,
    TappedSender,
    TappedWire,
)
from tests.support.database import Installation
from tests.support.sandbox import BASE_URL, control
from tests.support.world import WEBHOOK_SECRET, Mailbox, Org, Postman, World, familiar

from bursar.api.asgi import build_api
from bursar.domain.customers import Customer
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.domain.orgs import Mode
from bursar.domain.tasks import Queue
from bursar.jobs.handlers import HANDLERS, caller_for, run_task
from bursar.main import Strangers, build
from bursar.providers.stripe.client import StripeAccount, StripeProvider
from bursar.runtime.app import App
from bursar.runtime.queue import STALE_AFTER, Claimed
from bursar_sandbox.clock import wall_clock
from bursar_sandbox.core.outbox import Endpoint
from bursar_sandbox.sandbox import Sandbox, SandboxSettings

METHODS: Final = tuple(
    dict.fromkeys(
        (GOOD_METHOD, BAD_METHOD, ASKING_METHOD, *(each.method for each in CHARGES.values()))
    )
)
SIGN_OF_LIFE: Final = "SELECT pg_advisory_lock(hashtextextended($1::uuid::text, 0))"
ONE_PLAN: Final = "SET plan_cache_mode = force_generic_plan"
"""The auditor asks the same of every story; to plan it anew takes longer than to answer it."""
_keys = count(1)


@dataclass
class Stage:
    """One process tree played in one process."""

    world: World
    wire: TappedWire
    postman: Postman
    fuse: Fuse
    http: Client
    owner: "asyncpg.Connection[asyncpg.Record]"
    life: "asyncpg.Connection[asyncpg.Record]"
    reader: "asyncpg.Connection[asyncpg.Record]"
    skew: list[int]
    running: int = 0
    # The same application where registration is private, once an errand asked for it.
    private: tuple[App, Client] | None = None
    org: Org = field(init=False)
    client: Client = field(init=False)
    customers: dict[str, Customer] = field(init=False)
    auditor: Auditor = field(init=False)

    async def renew(self) -> None:
        """Another organization, at a processor that remembers nothing."""
        self.fuse.disarm()
        control(self.world.sandbox, "POST", "reset")
        self.skew[0] = 0
        await self.owner.execute(
            "DELETE FROM queue.pgqueuer; DELETE FROM queue.claims; DELETE FROM agenda"
        )
        self.org = await self.world.org()
        await self.org.keep_credit()
        self.client = self.http.bearing(self.org.access_token, self.org.id)
        self.customers = {method: await self.org.customer(method) for method in METHODS}
        await self.owner.execute("DELETE FROM queue.pgqueuer; DELETE FROM queue.claims")
        self.world.sandbox.take_deliveries()
        self.auditor = Auditor(self.owner, self.world.sandbox, uuid_of(self.org.id))

    async def alive(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """Do something until the process dies over it; then begin a new process."""
        found = None
        with suppress(Crash, Failed):
            found = await act()
        if self.fuse.is_blown:
            await self.reboot()
        return found

    async def reboot(self) -> None:
        """The dead process's locks are gone; a new one is up."""
        boot_id = uuid4()
        await self.life.execute("SELECT pg_advisory_unlock_all()")
        await self.life.execute(SIGN_OF_LIFE, boot_id)
        force_setattr(self.world.app, "boot_id", boot_id)
        self.fuse.revive()

    async def claim(self, *, is_anyones: bool = False) -> list[Claimed]:
        """Every due task; while no task runs, whoever holds one is dead."""
        app, org = self.world.app, self.org.id
        silence = STALE_AFTER if self.running else timedelta(0)
        found: list[Claimed] = []
        async with app.database.machine() as connection:
            for queue in await self._busy_queues():
                found += await app.queue.claim(connection, queue, limit=100, stale_after=silence)
        assert is_anyones or all(job.org_id == org for job in found), (
            "only this organization has work"
        )
        return found

    async def _busy_queues(self) -> list[Queue]:
        """Those in which anything waits or is held: most are empty, and a claim is dear."""
        rows = await self.owner.fetch("SELECT DISTINCT entrypoint FROM queue.pgqueuer ORDER BY 1")
        return [Queue(row["entrypoint"]) for row in rows]

    async def run(self, job: Claimed) -> None:
        """One claimed task, as the worker runs it; it is gone when it was done."""
        self.running += 1
        try:
            await run_task(self.world.app, job)
        finally:
            self.running -= 1
        async with self.world.app.database.machine() as connection:
            await self.world.app.queue.complete(connection, job.claim)

    async def put_off(self, job: Claimed, error: Exception) -> None:
        """The task failed; it comes back."""
        async with self.world.app.database.machine() as connection:
            await self.world.app.queue.fail(connection, job, error)

    async def run_unfenced(self, job: Claimed) -> None:
        """The same task once more, by a worker whom no claim holds back."""
        caller = replace(caller_for(self.world.app, job), claim=None)
        await HANDLERS[type(job.task)](caller, job.task)

    async def make_due(self, invoice_id: UUID) -> None:
        """Time passes until whatever waits for this invoice is due; leases of the dead run out."""
        await self.owner.execute(
            "UPDATE agenda SET due_at = now() - interval '1 second', leased_until = NULL"
            " WHERE org_id = $1 AND subject_id IN"
            " (SELECT id FROM payments WHERE org_id = $1 AND invoice_id = $2)",
            uuid_of(self.org.id),
            invoice_id,
        )
        await self.owner.execute(
            "UPDATE queue.pgqueuer SET execute_after = now() - interval '1 second'"
            " WHERE status = 'queued'"
        )
        await lanes.make_due(self.owner, uuid_of(self.org.id))

    def let_processor_age(self, seconds: int) -> None:
        """The processor's clock runs on; ours does not."""
        self.skew[0] += seconds * 1000

    @staticmethod
    def new_key() -> str:
        """An idempotency key nobody used."""
        return f"crash-{next(_keys)}"


@asynccontextmanager
async def open_stage(house: Installation) -> AsyncIterator[Stage]:
    """The application, tapped at every point."""
    fuse, skew = Fuse(), [0]
    endpoint = Endpoint("http://localhost:3000/webhooks/sandbox", WEBHOOK_SECRET)
    sandbox = Sandbox(
        SandboxSettings(public_url=BASE_URL, endpoints=(endpoint,)),
        clock=lambda: wall_clock() + skew[0],
    )
    wire = TappedWire(sandbox)
    account = StripeAccount("sandbox", sandbox.settings.secret_key, (WEBHOOK_SECRET,), BASE_URL)
    provider = Tapped(StripeProvider(account, wire), fuse, PROVIDER_VERBS)
    wire.fuse, wire.provider = fuse, provider
    postman, mailbox = Postman(), Mailbox()
    strangers = Strangers(
        {Mode.SANDBOX: provider}, TappedSender(postman, fuse), TappedMailer(mailbox, fuse)
    )
    limits = replace(house.settings, rate_limit_requests_max=1_000_000_000)
    opened = build(limits, part="test", app_url=house.app_url, strangers=strangers)
    async with opened as built, familiar(built) as quick:
        app = replace(quick, checkpoint=fuse.checkpoint, wake=lambda: None, batcher=TappedBatcher())
        world = World(
            app, house, sandbox, wire, postman, strangers.providers[Mode.SANDBOX], mailbox
        )
        owner, life, reader = [await house.as_owner() for _ in range(3)]
        for looking in (owner, reader):
            await looking.execute(ONE_PLAN)
        stage = Stage(
            world=world,
            wire=wire,
            postman=postman,
            fuse=fuse,
            http=Client(build_api(app)),
            owner=owner,
            life=life,
            reader=reader,
            skew=skew,
        )
        try:
            await stage.reboot()
            await stage.renew()
            yield stage
        finally:
            await asyncio.gather(owner.close(), life.close(), reader.close())
