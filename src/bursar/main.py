"""Assembly: the only module that knows every concrete class, and the processes made of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import Final
from urllib.parse import urlsplit

import asyncpg

from bursar.domain.orgs import Mode
from bursar.domain.provider import PaymentProvider
from bursar.domain.sending import WebhookSender
from bursar.providers.documents import TypstRenderer
from bursar.providers.guard import PAYMENT_PROVIDER, BreakerState, CircuitBreaker, GuardedProvider
from bursar.providers.stripe.client import StripeAccount, StripeProvider
from bursar.providers.webhook_sender import Egress, HttpWebhookSender
from bursar.runtime import clock
from bursar.runtime.app import App
from bursar.runtime.crypto import KeyRing
from bursar.runtime.db import Database, Means
from bursar.runtime.embedded import EmbeddedPostgres
from bursar.runtime.ids import new_uuid
from bursar.runtime.limits import RateLimiter
from bursar.runtime.passwords import Passwords
from bursar.runtime.queue import TaskQueue
from bursar.runtime.settings import Settings
from bursar.runtime.telemetry import Telemetry
from bursar.runtime.tokens import AccessTokens
from bursar.runtime.wake import Wake

VERSION: Final = version("bursar")
SANDBOX_KEY_LABEL: Final = "sandbox-key"
SANDBOX_WEBHOOK_LABEL: Final = "sandbox-webhook"


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Where the application logs in, and where migrations do."""

    app: str
    owner: str | None


@asynccontextmanager
async def database_of(settings: Settings) -> AsyncIterator[DatabaseUrls]:
    """The configured PostgreSQL, or the embedded one for as long as it is needed."""
    if settings.database_url is not None:
        owner = settings.migration_database_url
        yield DatabaseUrls(settings.database_url.reveal(), owner.reveal() if owner else None)
        return
    embedded = EmbeddedPostgres(settings.data_dir / "postgres")
    urls = await embedded.ensure_running()
    watch = asyncio.create_task(embedded.watch())
    try:
        yield DatabaseUrls(urls.app.reveal(), urls.owner.reveal())
    finally:
        watch.cancel()
        await embedded.release()


def key_ring(settings: Settings) -> KeyRing:
    """Every key of this installation."""
    given = {
        "access-token": settings.jwt_secret.reveal().encode(),
        "refresh-token": settings.jwt_refresh_secret.reveal().encode(),
        "api-key": settings.api_key_hash_salt.reveal().encode(),
    }
    return KeyRing(settings.secret_key.reveal().encode(), given=given)


def sandbox_account(settings: Settings) -> StripeAccount:
    """How Bursar signs in to its own sandbox processor, and that one to Bursar."""
    return StripeAccount(
        name="sandbox",
        api_key=f"sk_test_{settings.derived(SANDBOX_KEY_LABEL).reveal()}",
        webhook_secrets=(f"whsec_{settings.derived(SANDBOX_WEBHOOK_LABEL).reveal()}",),
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


@asynccontextmanager
async def build(
    settings: Settings, *, part: str, app_url: str, strangers: Strangers | None = None
) -> AsyncIterator[App]:
    """The application, plugged together; everything is closed again at the end."""
    async with AsyncExitStack() as stack:
        keys = key_ring(settings)
        boot_id = new_uuid()
        queue = TaskQueue(boot_id)
        means = Means(queue, keys, not settings.is_production)
        database = await Database.open(app_url, means=means, application_name=f"bursar-{part}")
        stack.push_async_callback(database.close)
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
        limiter = RateLimiter(settings.redis_url)
        stack.push_async_callback(limiter.close)
        renderer = TypstRenderer()
        stack.callback(renderer.close)
        telemetry = Telemetry(version=VERSION)
        if strangers is None:
            strangers = await stack.enter_async_context(_strangers(settings, telemetry))
        yield App(
            settings=settings,
            database=database,
            keys=keys,
            context_key=keys.key("context"),
            passwords=passwords,
            access_tokens=_access_tokens(settings, keys),
            boot_id=boot_id,
            queue=queue,
            providers=strangers.providers,
            sender=strangers.sender,
            renderer=renderer,
            telemetry=telemetry,
            limiter=limiter,
            wake=wake.signal,
            woken=wake.woken,
        )


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
            )
        )
        stack.push_async_callback(sender.aclose)
        yield Strangers(providers, sender)


def _tell_call(telemetry: Telemetry, call: str, outcome: str, seconds: float) -> None:
    telemetry.provider_call(call=call, outcome=outcome, seconds=seconds)


def _tell_breaker(telemetry: Telemetry, provider: str, state: BreakerState) -> None:
    telemetry.breaker(provider=provider, state=state.value)
