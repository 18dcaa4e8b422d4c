"""Assembly: the only module that knows every concrete class, and puts the application together.

What each process adds of its own stands beside it: `standing` the API, `working` the worker.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import asyncpg
from msgspec import Struct, field
from opentelemetry.trace import Tracer

from bursar.domain.mails import Mailer
from bursar.domain.orgs import Mode
from bursar.domain.provider import PaymentProvider
from bursar.domain.sending import WebhookSender
from bursar.domain.tax_engine import TaxEngine
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
from bursar.runtime.app import App
from bursar.runtime.crypto import KeyRing
from bursar.runtime.db import Database, Means
from bursar.runtime.fitting import fit_database
from bursar.runtime.ids import new_uuid
from bursar.runtime.installation import (
    sandbox_api_key,
    sandbox_webhook_secret,
)
from bursar.runtime.key_rings import key_ring
from bursar.runtime.limits import RateLimiter
from bursar.runtime.logging import get_log
from bursar.runtime.passwords import Passwords
from bursar.runtime.pooling import Pooling
from bursar.runtime.probing import Probe, probing
from bursar.runtime.queue import TaskQueue
from bursar.runtime.release import VERSION
from bursar.runtime.settings import Settings
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


class Strangers(Struct, frozen=True):
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
        renderer = TypstRenderer(is_awaited=part != "worker")
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
