"""Webhooks from the commit to the first byte: how many, how soon, and who is in whose way.

The worker's own relay and couriers run in this process, on a database of their own; the receiver is
an HTTP server on loopback, or, where waits are measured, a stand-in at the wire that answers or
hangs. Each figure stands beside one of the same run: a loop of aiohttp that keeps nothing, a notice
and one commit, or the same without the endpoint that hangs.
"""

import asyncio
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import asyncpg
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web

from bench.place import Place, open_place
from bench.report import Result, Round, Target, judged
from bench.sides import Effort
from bursar.domain.ids import print_id
from bursar.domain.sending import WebhookAnswer, WebhookRequest, WebhookSender
from bursar.jobs.couriers import Couriers
from bursar.jobs.relay import Relay
from bursar.jobs.schedule import Pass, keep_schedule, spread_wake
from bursar.main import Strangers, build
from bursar.providers.mail.letters import Letters
from bursar.providers.mail.outbox import OutboxMailer
from bursar.providers.webhook_sender import Egress, HttpWebhookSender
from bursar.runtime import logging
from bursar.runtime.app import App

DELIVERY = "webhooks"
ISOLATION = "webhooks_isolation"
GOODPUT = "webhooks_goodput"
SOON = "webhooks_first_byte"
ORGS = 100
WAITING = 100_000
SENT = 2_000
HANG_SECONDS = 10.0
SECRET = b"whsec_" + b"A" * 43 + b"="
_LOOK_SECONDS = 0.02
_LOOKS_MAX = 6_000

ORG = """
INSERT INTO organizations (org_id, name, currency, timezone, mode, invoice_prefix, net_terms_days,
    reactivation_grace_days, version, sequence, created_at, updated_at)
VALUES ($1, 'Bench', 'usd', 'UTC', 'sandbox', 'INV', 14, 30, 1, 1, now(), now())
"""
_ENDPOINT = """
INSERT INTO webhook_subscriptions (org_id, id, url, event_types, secret_sealed, is_active, version,
    sequence, created_at, updated_at)
VALUES ($1, $2, $3, '{*}', $4, true, 1, 1, now(), now())
"""
EVENTS = """
INSERT INTO events (org_id, id, type, payload_version, is_public, resource_type, resource_id,
    sequence, actor, request_id, occurred_at, snapshot)
SELECT $1, sec.new_uuid7(), 'wallet.created', 1, true, 'wallet', sec.new_uuid7(), 1,
    'system:bench', 'bench', now(), '{"object": "wallet", "name": "Deposits"}'
FROM generate_series(1, $2::integer)
"""


@dataclass(slots=True)
class Wire(WebhookSender):
    """Notes when the first byte for each endpoint would leave; some endpoints never answer."""

    hanging: set[str] = field(default_factory=set)
    left_at: dict[str, list[float]] = field(default_factory=dict)

    async def send(self, request: WebhookRequest) -> WebhookAnswer:
        self.left_at.setdefault(request.url, []).append(time.perf_counter())
        if request.url in self.hanging:
            await asyncio.sleep(HANG_SECONDS)
            return WebhookAnswer(504, "", 10_000)
        return WebhookAnswer(200, "", 1)

    async def until_left(self, urls: Iterable[str]) -> None:
        """Until something went to each; nobody asks the database meanwhile."""
        wanted = set(urls)
        await until(lambda: wanted <= self.left_at.keys())

    def left(self, urls: Iterable[str]) -> int:
        """How much went to these."""
        return sum(len(self.left_at.get(url, ())) for url in urls)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for what nobody tells, for two minutes at most."""
    for _ in range(_LOOKS_MAX):
        if is_so():
            return
        await asyncio.sleep(_LOOK_SECONDS)
    raise TimeoutError


@dataclass(slots=True)
class Stage:
    """The application with its relay and couriers at work, and whoever listens."""

    place: Place
    app: App
    superuser: "asyncpg.Connection[asyncpg.Record]"
    orgs: list[tuple[uuid.UUID, str]] = field(default_factory=list)

    async def listeners(self, count: int, url: Callable[[uuid.UUID], str]) -> None:
        """Organizations with an endpoint each."""
        for _ in range(count):
            org, endpoint = uuid.uuid4(), await self.superuser.fetchval("SELECT sec.new_uuid7()")
            context = print_id("wh", endpoint).encode()
            sealed = self.app.keys.seal(SECRET, context=context)
            await self.superuser.execute(ORG, org)
            await self.superuser.execute(_ENDPOINT, org, endpoint, url(org), sealed)
            self.orgs.append((org, url(org)))

    async def tell(self, org: uuid.UUID, count: int) -> None:
        """So many facts of one organization, in one commit."""
        await self.superuser.execute(EVENTS, org, count, timeout=300)
        self.app.wake()

    async def pending(self, orgs: Sequence[uuid.UUID]) -> int:
        """How many deliveries of these organizations wait, or have not even been made."""
        query = """
        SELECT (SELECT count(*) FROM events WHERE org_id = ANY($1)) - (
            SELECT count(*) FROM webhook_deliveries WHERE org_id = ANY($1) AND status <> 'pending')
        """
        found: int = await self.superuser.fetchval(query, list(orgs))
        return found

    async def settle_down(self) -> None:
        """What a hundred thousand rows leave to do for PostgreSQL itself is done now."""
        await self.superuser.execute("VACUUM ANALYZE", timeout=120)
        await self.superuser.execute("CHECKPOINT", timeout=120)

    async def until_done(self, orgs: Sequence[uuid.UUID]) -> None:
        for _ in range(_LOOKS_MAX):
            if not await self.pending(orgs):
                return
            await asyncio.sleep(_LOOK_SECONDS)
        raise TimeoutError


@asynccontextmanager
async def open_stage(sender: WebhookSender) -> AsyncIterator[Stage]:
    """A place, and a worker's relay and couriers in it."""
    logging.configure(level="warning", is_development=False)
    async with open_place() as place:
        strangers = Strangers({}, sender, OutboxMailer(Letters("http://localhost:3000")))
        app_of = partial(build, part="worker", app_url=place.app_url, strangers=strangers)
        async with place.superuser() as superuser, app_of(place.settings()) as app:
            await superuser.execute("SET session_replication_role = DEFAULT")
            async with working(app):
                yield Stage(place, app, superuser)


@asynccontextmanager
async def working(app: App) -> AsyncIterator[None]:
    """What a worker does for webhooks, until the end of the block."""
    couriers, stopping = Couriers(app), asyncio.Event()
    relay = Relay(couriers)
    passes = (
        Pass("relay", 0.5, relay.pass_on, is_woken=True, bell=relay.bell),
        Pass("deliver", 0.5, couriers.go_round, bell=couriers.bell),
    )
    tasks = [
        asyncio.create_task(keep_schedule(app, passes, stopping)),
        asyncio.create_task(
            spread_wake(app.woken, [each.bell for each in passes if each.is_woken])
        ),
    ]
    try:
        yield
    finally:
        stopping.set()
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def bench_isolation(_effort: Effort) -> Result:
    """The p95 wait of a hundred organizations beside a hundred thousand hanging deliveries."""
    wire = Wire()
    async with open_stage(wire) as stage:
        await stage.listeners(ORGS, lambda org: f"https://{org}.example/")
        others = list(stage.orgs)
        await stage.listeners(1, lambda org: f"https://{org}.example/hangs")
        busy, url = stage.orgs[-1]
        wire.hanging.add(url)
        await stage.settle_down()
        alone = [await p95(stage, wire, others) for _ in range(5)][1:]
        await stage.tell(busy, WAITING)
        for _ in range(_LOOKS_MAX):
            if await deliveries_of(stage, busy) == WAITING:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        await stage.settle_down()
        crowded = [await p95(stage, wire, others) for _ in range(5)][1:]
        left = await stage.pending([busy])
        shown = await stage.place.shown_settings()
    broken = [] if left > WAITING - 200 else [f"only {left} of {WAITING} were waiting"]
    rounds = [Round(ours=each, limit=statistics.median(alone)) for each in crowded]
    result = judged(ISOLATION, Target(2.0, 1.2, is_most=True), rounds, unit="s", broken=broken)
    result.settings.update(orgs=ORGS, waiting=WAITING, postgres=shown)
    return result


async def deliveries_of(stage: Stage, org: uuid.UUID) -> int:
    query = "SELECT count(*) FROM webhook_deliveries WHERE org_id = $1"
    found: int = await stage.superuser.fetchval(query, org)
    return found


async def p95(stage: Stage, wire: Wire, orgs: Sequence[tuple[uuid.UUID, str]]) -> float:
    """One event for each of them, all at once: the wait from the commit to the first byte."""
    wire.left_at.clear()
    async with stage.superuser.transaction():
        for org, _ in orgs:
            await stage.superuser.execute(EVENTS, org, 1)
    began = time.perf_counter()
    stage.app.wake()
    await wire.until_left(url for _, url in orgs)
    await stage.until_done([org for org, _ in orgs])
    waits = sorted(wire.left_at[url][0] - began for _, url in orgs)
    return waits[int(len(waits) * 0.95)]


async def bench_goodput(effort: Effort) -> Result:
    """Deliveries a second to healthy endpoints, with a tenth that hang beside with none."""
    wire, rounds = Wire(), []
    async with open_stage(wire) as stage:
        await stage.listeners(ORGS, lambda org: f"https://{org}.example/")
        hung, healthy = stage.orgs[: ORGS // 10], stage.orgs[ORGS // 10 :]
        heard = partial(wire.left, [url for _, url in healthy])
        await rate(stage, healthy, heard)
        for _ in range(max(effort.rounds // 2, 1)):
            wire.hanging.clear()
            limit = await rate(stage, healthy, heard)
            wire.hanging.update(url for _, url in hung)
            for org, _ in hung:
                await stage.tell(org, 50)
            rounds.append(Round(ours=await rate(stage, healthy, heard), limit=limit))
        shown = await stage.place.shown_settings()
    result = judged(GOODPUT, Target(0.8, 0.95), rounds, unit="1/s", broken=[])
    result.settings.update(orgs=ORGS, hanging=len(hung), postgres=shown)
    return result


async def rate(
    stage: Stage, orgs: Sequence[tuple[uuid.UUID, str]], heard: Callable[[], int]
) -> float:
    """Deliveries a second, from the commits to the last record.

    What endpoints heard is counted where they are; only the end of it is asked of the database.
    """
    each, before = SENT // len(orgs), heard()
    began = time.perf_counter()
    for org, _ in orgs:
        await stage.tell(org, each)
    await until(lambda: heard() - before >= each * len(orgs))
    await stage.until_done([org for org, _ in orgs])
    return each * len(orgs) / (time.perf_counter() - began)


async def bench_first_byte(effort: Effort) -> Result:
    """The median from a commit to the first byte, beside a notice and one durable commit."""
    wire = Wire()
    async with open_stage(wire) as stage:
        await stage.listeners(1, lambda org: f"https://{org}.example/")
        org, url = stage.orgs[0]

        async def once() -> float:
            wire.left_at.clear()
            await stage.superuser.execute(EVENTS, org, 1)
            began = time.perf_counter()
            stage.app.wake()
            await stage.until_done([org])
            return wire.left_at[url][0] - began

        trip = await noticed(stage)
        await median(once, 20)
        rounds = [
            Round(ours=await median(once, 30), limit=await median(trip, 30))
            for _ in range(effort.rounds)
        ]
        shown = await stage.place.shown_settings()
    result = judged(SOON, Target(8, 3, is_most=True), rounds, unit="s", broken=[])
    result.settings.update(postgres=shown)
    return result


async def median(measure: Callable[[], Awaitable[float]], count: int) -> float:
    return statistics.median([await measure() for _ in range(count)])


async def noticed(stage: Stage) -> Callable[[], Awaitable[float]]:
    """A NOTIFY heard by somebody else, who writes down in one commit that they will act on it.

    Nothing that must not be lost can leave sooner: what is sent at least once is written first.
    """
    await stage.superuser.execute("CREATE TABLE bench.sent (at timestamptz DEFAULT now())")
    await stage.superuser.execute("GRANT INSERT ON bench.sent TO bursar_app")
    ear, heard = await asyncpg.connect(stage.place.app_url), asyncio.Event()
    await ear.add_listener("bench_trip", lambda *_: heard.set())

    async def once() -> float:
        heard.clear()
        began = time.perf_counter()
        await stage.superuser.execute("NOTIFY bench_trip")
        await heard.wait()
        await ear.execute("INSERT INTO bench.sent DEFAULT VALUES")
        return time.perf_counter() - began

    return once


async def bench_delivery(effort: Effort) -> Result:
    """Deliveries a second, signed and recorded, beside a loop of aiohttp that keeps nothing."""
    async with receiver() as (url, heard):
        sender = HttpWebhookSender(Egress(is_development=True))
        async with open_stage(sender) as stage:
            await stage.listeners(ORGS, lambda org: f"{url}{org}")
            await rate(stage, stage.orgs, heard)
            rounds = []
            for _ in range(max(effort.rounds // 2, 1)):
                limit = await plain_rate(url)
                rounds.append(Round(ours=await rate(stage, stage.orgs, heard), limit=limit))
            counted = await stage.superuser.fetchrow(
                "SELECT (SELECT count(*) FROM webhook_attempts) AS attempts,"
                " (SELECT count(*) FROM webhook_deliveries WHERE status = 'delivered') AS good"
            )
            shown = await stage.place.shown_settings()
        await sender.aclose()
    assert counted is not None
    sent = (len(rounds) + 1) * (SENT // ORGS) * ORGS
    is_whole = counted["attempts"] == counted["good"] == sent
    broken = [] if is_whole else [f"{dict(counted)} of {sent}"]
    result = judged(DELIVERY, Target(0.25, 0.5), rounds, unit="1/s", broken=broken)
    result.settings.update(orgs=ORGS, postgres=shown)
    return result


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[str, Callable[[], int]]]:
    """An endpoint that says 200 to everything, and how much it has heard."""
    heard = 0

    async def good(request: web.Request) -> web.Response:
        nonlocal heard
        await request.read()
        heard += 1
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_post("/{any:.*}", good)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/", lambda: heard
    finally:
        await runner.cleanup()


async def plain_rate(url: str) -> float:
    """The same bodies to the same server, a connection each, with nothing signed or kept."""
    body = b'{"id": "evt_x", "data": {"object": "wallet", "name": "Deposits"}}' * 4
    connector = TCPConnector(limit=0, force_close=True)
    async with ClientSession(
        connector=connector, cookie_jar=DummyCookieJar(), timeout=ClientTimeout(10)
    ) as session:
        gate = asyncio.Semaphore(64)

        async def one() -> None:
            async with gate, session.post(url, data=body) as answer:
                await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(SENT)))
        return SENT / (time.perf_counter() - began)
