"""Assembly: the only module that knows every concrete class, and the processes made of them."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import asyncpg
import msgspec
from opentelemetry.trace import Tracer

from bursar.api.asgi import build_api
from bursar.api.guard import AsgiApp
from bursar.api.server import Server
from bursar.api.worker_pages import build_worker_pages
from bursar.cli.failing import Exit, explained
from bursar.cli.programs import Programs
from bursar.cli.root import build_root
from bursar.console.site import console_routes
from bursar.domain.mails import Mailer
from bursar.domain.orgs import Mode
from bursar.domain.provider import PaymentProvider
from bursar.domain.sending import WebhookSender
from bursar.domain.tax_engine import TaxEngine
from bursar.jobs.demo_org import found_demo_org
from bursar.jobs.handlers import run_task
from bursar.jobs.queue_loop import QueueLoop
from bursar.jobs.schedule import keep_schedule, schedule_of, spread_wake
from bursar.providers.documents import TypstRenderer
from bursar.providers.guard import (
    MAIL,
    PAYMENT_PROVIDER,
    BreakerState,
    CircuitBreaker,
    GuardedProvider,
)
from bursar.providers.mail.guarded import GuardedMailer
from bursar.providers.mail.letters import Letters
from bursar.providers.mail.outbox import OutboxMailer
from bursar.providers.mail.resend import ResendMailer
from bursar.providers.mail.smtp import SmtpMailer, SmtpServer
from bursar.providers.otlp import tracer_to
from bursar.providers.stripe.client import StripeAccount, StripeProvider
from bursar.providers.taxes import HttpTaxes, TableTaxes
from bursar.providers.webhook_sender import Egress, HttpWebhookSender
from bursar.runtime import clock
from bursar.runtime.anchors import Anchors
from bursar.runtime.app import App
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.crypto import KeyRing
from bursar.runtime.db import Database, Means
from bursar.runtime.fitting import fit_database
from bursar.runtime.garbage import keep_what_stands
from bursar.runtime.ids import new_uuid
from bursar.runtime.installation import (
    DatabaseUrls,
    anchors_path,
    database_of,
    sandbox_api_key,
    sandbox_webhook_secret,
)
from bursar.runtime.key_rings import key_ring
from bursar.runtime.limits import RateLimiter
from bursar.runtime.listening import bound
from bursar.runtime.logging import get_log
from bursar.runtime.passwords import Passwords
from bursar.runtime.pooling import Pooling
from bursar.runtime.probing import Probe, probing
from bursar.runtime.pulse import keep_pulse
from bursar.runtime.queue import TaskQueue
from bursar.runtime.release import VERSION
from bursar.runtime.schema import (
    SchemaUnfit,
    newest_revision,
    require_revision,
    revision_of,
)
from bursar.runtime.settings import Settings
from bursar.runtime.stopping import Stop
from bursar.runtime.telemetry import Telemetry, telemetry_of
from bursar.runtime.tokens import AccessTokens
from bursar.runtime.wake import Wake

log = get_log()


def sandbox_account(settings: Settings) -> StripeAccount:
    """How Bursar signs in to its own sandbox processor, and that one to Bursar."""
    return StripeAccount(
        name="sandbox",
        api_key=sandbox_api_key(settings),
        webhook_secrets=(sandbox_webhook_secret(settings),),
        api_url=settings.sandbox_url,
    )


def live_account(settings: Settings) -> StripeAccount | None:
    """The Stripe account, when one is configured."""
    if settings.stripe_secret_key is None:
        return None
    secret = settings.stripe_webhook_secret
    return StripeAccount(
        name="stripe",
        api_key=settings.stripe_secret_key.reveal(),
        webhook_secrets=() if secret is None else (secret.reveal(),),
    )


@dataclass(frozen=True, slots=True)
class Strangers:
    """Whoever is outside: given by tests, made from the settings otherwise."""

    providers: Mapping[Mode, PaymentProvider]
    sender: WebhookSender
    mailer: Mailer
    taxes: TaxEngine = field(default_factory=TableTaxes)


@asynccontextmanager
async def build(
    settings: Settings,
    *,
    part: str,
    app_url: str,
    strangers: Strangers | None = None,
    telemetry: Telemetry | None = None,
) -> AsyncIterator[App]:
    """The application, plugged together; everything is closed again at the end."""
    async with AsyncExitStack() as stack:
        keys = key_ring(settings)
        boot_id = new_uuid()
        queue = TaskQueue(boot_id)
        retries = settings.dunning_schedule_minutes[: settings.dunning_retries_max]
        tracer = await stack.enter_async_context(_tracer(settings, part))
        pooling = Pooling(settings.database_pooler == "transaction")
        means = Means(queue, keys, not settings.is_production, retries, tracer is not None, pooling)
        database = await Database.open(app_url, means=means, application_name=f"bursar-{part}")
        stack.push_async_callback(database.close)
        probe = Probe(probing(app_url))
        stack.callback(probe.close)
        direct_url = _direct_url(settings, app_url)
        wake = Wake(
            partial(asyncpg.connect, direct_url, timeout=5),
            boot_id,
            is_listening=part == "worker",
        )
        await wake.start()
        stack.push_async_callback(wake.stop)
        passwords = Passwords(keys)
        stack.callback(passwords.close)
        renderer = TypstRenderer()
        stack.callback(renderer.close)
        telemetry = telemetry or telemetry_of(part)
        limiter = RateLimiter(settings.redis_url, telemetry.limits_shared)
        stack.push_async_callback(limiter.close)
        if strangers is None:
            strangers = await stack.enter_async_context(_strangers(settings, telemetry))
        yield App(
            settings=settings,
            database=database,
            probe=probe,
            keys=keys,
            context_key=keys.key("context"),
            passwords=passwords,
            access_tokens=_access_tokens(settings, keys),
            boot_id=boot_id,
            queue=queue,
            providers=strangers.providers,
            sender=strangers.sender,
            mailer=strangers.mailer,
            renderer=renderer,
            taxes=strangers.taxes,
            telemetry=telemetry,
            limiter=limiter,
            tracer=tracer,
            wake=wake.signal,
            woken=wake.woken,
        )


@asynccontextmanager
async def _tracer(settings: Settings, part: str) -> AsyncIterator[Tracer | None]:
    """Where spans go; without an endpoint there are none."""
    if settings.otlp_endpoint is None:
        yield None
        return
    async with tracer_to(settings.otlp_endpoint, part=part, version=VERSION) as tracer:
        yield tracer


def _direct_url(settings: Settings, app_url: str) -> str:
    direct = settings.database_direct_url
    return app_url if direct is None else direct.reveal()


def _access_tokens(settings: Settings, keys: KeyRing) -> AccessTokens:
    lifetime = timedelta(seconds=settings.jwt_lifetime_seconds)
    return AccessTokens(keys, issuer="bursar", audience="bursar-api", lifetime=lifetime)


@asynccontextmanager
async def _strangers(settings: Settings, telemetry: Telemetry) -> AsyncIterator[Strangers]:
    accounts = {Mode.SANDBOX: sandbox_account(settings), Mode.LIVE: live_account(settings)}
    async with AsyncExitStack() as stack:
        providers: dict[Mode, PaymentProvider] = {}
        for mode, account in accounts.items():
            if account is None:
                continue
            stripe = StripeProvider(account)
            stack.push_async_callback(stripe.aclose)
            breaker = CircuitBreaker(
                PAYMENT_PROVIDER,
                clock.monotonic,
                partial(_tell_breaker, telemetry, account.name),
            )
            providers[mode] = GuardedProvider(
                stripe, breaker, on_call=partial(_tell_call, telemetry)
            )
        own = (f"http://127.0.0.1:{settings.port}",) if settings.is_production else ()
        sender = HttpWebhookSender(
            Egress(
                timeout_seconds=settings.webhook_delivery_timeout_ms / 1000,
                is_development=not settings.is_production,
                own_urls=own,
                allowed_networks=tuple(map(str, settings.webhook_allowed_networks)),
            )
        )
        stack.push_async_callback(sender.aclose)
        mailer = await stack.enter_async_context(_mailer(settings, telemetry))
        taxes = await stack.enter_async_context(_taxes(settings))
        yield Strangers(providers, sender, mailer, taxes)


@asynccontextmanager
async def _taxes(settings: Settings) -> AsyncIterator[TaxEngine]:
    """Who says which taxes lie on a draft: the table, unless a service is named."""
    if settings.tax_service_url is None:
        yield TableTaxes()
        return
    key = settings.tax_service_key
    service = HttpTaxes(settings.tax_service_url, None if key is None else key.reveal())
    try:
        yield service
    finally:
        await service.aclose()


@asynccontextmanager
async def _mailer(settings: Settings, telemetry: Telemetry) -> AsyncIterator[Mailer]:
    """The way mail leaves: Resend, SMTP, or not at all."""
    letters = Letters(settings.public_url)
    inner: Mailer
    async with AsyncExitStack() as stack:
        if settings.email_api_key is not None:
            key = settings.email_api_key.reveal()
            inner = ResendMailer(key, settings.email_from, letters)
            stack.push_async_callback(inner.aclose)
        elif settings.smtp_url is not None:
            server = SmtpServer.of(settings.smtp_url.reveal())
            inner = SmtpMailer(server, settings.email_from, letters)
        else:
            yield OutboxMailer(letters)
            return
        tell = partial(_tell_breaker, telemetry, inner.name)
        yield GuardedMailer(inner, CircuitBreaker(MAIL, clock.monotonic, tell))


def _tell_call(telemetry: Telemetry, call: str, outcome: str, seconds: float) -> None:
    telemetry.provider_call(call=call, outcome=outcome, seconds=seconds)


def _tell_breaker(telemetry: Telemetry, provider: str, state: BreakerState) -> None:
    telemetry.breaker(provider=provider, state=state.value)
    told = log.info if state is BreakerState.CLOSED else log.warning
    told("breaker.state", provider=provider, state=state.value)


@asynccontextmanager
async def opened(settings: Settings, part: str) -> AsyncIterator[App]:
    """The application on this installation's database, once that is found to fit.

    Raises:
        SchemaUnfit: another release's schema, another key, or a login with too much power.
        DatabaseUnreachable: PostgreSQL did not answer for half a minute.
    """
    async with fit_database(settings) as (urls, probe):
        probe.close()
        async with build(settings, part=part, app_url=urls.app) as app:
            yield app


@asynccontextmanager
async def standing(
    settings: Settings, urls: DatabaseUrls, telemetry: Telemetry
) -> AsyncIterator[AsgiApp]:
    """Everything that the API serves, for as long as the block: what `bursar.serving` waits for."""
    async with build(settings, part="api", app_url=urls.app, telemetry=telemetry) as app:
        await app.limiter.check()
        whole = await asyncio.to_thread(build_api, app, annexes=(console_routes,))
        async with _beside(keep_pulse(app.telemetry, app.sessions)):
            yield whole


async def work(settings: Settings, stop: Stop, *, has_demo_org: bool) -> None:
    """A worker: the queues and everything that comes round by itself, until a signal."""
    async with opened(settings, "worker") as app:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        passes = schedule_of(app, Anchors(anchors_path(settings), app.keys))
        loop = QueueLoop(app.queue, app.database, app.telemetry, partial(run_task, app), app.tracer)
        bells = (loop.bell, *(each.bell for each in passes if each.is_woken))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(_beside(spread_wake(app.woken, bells)))
            await stack.enter_async_context(_beside(keep_pulse(app.telemetry, app.sessions)))
            await stack.enter_async_context(_shown(app))
            if has_demo_org:
                await stack.enter_async_context(_beside(found_demo_org(app)))
            stopping = asyncio.Event()
            passing = asyncio.create_task(keep_schedule(app, passes, stopping))

            def finish() -> None:
                stopping.set()
                loop.stop()

            keep_what_stands()
            with stop.meaning(finish):
                await asyncio.gather(passing, loop.run())


@asynccontextmanager
async def _shown(app: App) -> AsyncIterator[None]:
    """A worker's own pages, where a port was given for them."""
    port = app.settings.metrics_port
    if port is None:
        yield
        return
    server = Server.of(build_worker_pages(app), patience_seconds=1)
    with bound(app.settings.host, port) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            server.stop()  # canceled, it would leave its socket to the loop
            await serving


@asynccontextmanager
async def _beside(errand: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Let something run for as long as the block does, or less."""
    task = asyncio.create_task(errand)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def set_up(settings: Settings) -> bool:
    """Bring the database to this release's schema; says whether anything was done.

    Raises:
        SchemaUnfit: it is newer than this release, or there is no login that may change it.
    """
    async with database_of(settings) as urls:
        if urls.owner is None:
            raise SchemaUnfit("migrations need MIGRATION_DATABASE_URL, the owner's login.")
        if (found := await revision_of(urls.owner)) is not None and found > newest_revision():
            require_revision(found)
        return await _migrated(urls.owner, [*key_ring(settings).keys("context").values()])


async def _migrated(owner_url: str, context_keys: Sequence[bytes]) -> bool:
    """Have it done by a child: what migrations load, no other process of ours should carry."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bursar.migrations", stdin=PIPE, stdout=PIPE
    )
    keys = [key.hex() for key in context_keys]
    order = msgspec.json.encode({"owner_url": owner_url, "context_keys": keys})
    told, _ = await child.communicate(order + b"\n")
    if child.returncode != 0:
        raise SchemaUnfit("the migration failed; what it said stands above.")
    return told == b"changed"


def cli() -> None:
    """The command line, with everything it can start plugged in."""
    programs = Programs(
        work=work,
        set_up=set_up,
        opened=opened,
        context_key=lambda settings: key_ring(settings).key("context"),
        version=VERSION,
    )
    with explained({DatabaseAway: Exit.UNREACHABLE, TimeoutError: Exit.UNREACHABLE}):
        build_root(programs)(prog_name="bursar")


if __name__ == "__main__":
    cli()
