"""Settings: every environment variable Bursar knows, read once and frozen.

This module owns the names, the meaning of each value and what is refused. It is the only one that
touches `os.environ`, and it never reads a `.env` file by itself. A value that is missing or wrong
ends the start with one line that names the variable and never quotes a secret. In production no
secret has a default; elsewhere one is made at the first start and kept in `DATA_DIR`.
"""

import os
from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path
from socket import INADDR_ANY, INADDR_LOOPBACK
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args, get_type_hints

from msgspec import Struct

from bursar.runtime import settings_text as text
from bursar.runtime.secret import Secret, derive
from bursar.runtime.settings_checks import found_wrong
from bursar.runtime.settings_sources import SettingsInvalid, kept_secret, value_of
from bursar.runtime.settings_text import Network, Proxies, Variable

AppEnv: TypeAlias = Literal["development", "test", "production"]
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]

METRICS_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"

_PORT_MAX: Final = 65_535
_WORKERS_MAX: Final = 32
_RETRIES_MAX: Final = 20
_DEMO_MONTHS_MAX: Final = 12
_LATE_DAYS_MAX: Final = 730
_DAY_SECONDS: Final = 86_400
_DERIVED: Final = (
    "jwt_secret",
    "jwt_refresh_secret",
    "api_key_hash_salt",
    "webhook_signing_secret",
)


class Settings(Struct, frozen=True, kw_only=True):
    """What this installation is told from outside; `FIELDS` lists every variable and meaning."""

    app_env: Annotated[
        AppEnv,
        Variable(
            "APP_ENV",
            "What this installation is for; production refuses every secret that was not given.",
            text.choice(*get_args(AppEnv)),
            default="development",
            alias="NODE_ENV",
        ),
    ]
    port: Annotated[
        int,
        Variable(
            "PORT", "TCP port of the API.", text.whole(least=1, most=_PORT_MAX), default="3000"
        ),
    ]
    public_url: Annotated[
        str,
        Variable(
            "PUBLIC_URL",
            "Where people reach this installation; links in mail and documents start with it.",
            text.web_url,
            otherwise="http://localhost:PORT",
        ),
    ]
    data_dir: Annotated[
        Path,
        Variable(
            "DATA_DIR",
            "Folder for the embedded database, keys and logs of this installation.",
            text.directory,
            default=".bursar",
        ),
    ]
    workers: Annotated[
        int,
        Variable(
            "WORKERS",
            "Worker processes that `bursar run` starts.",
            text.whole(least=1, most=_WORKERS_MAX),
            default="1",
        ),
    ]
    log_level: Annotated[
        LogLevel,
        Variable(
            "LOG_LEVEL",
            "The least severe log line that is written.",
            text.log_level,
            default="info",
        ),
    ]
    database_url: Annotated[
        Secret | None,
        Variable(
            "DATABASE_URL",
            "PostgreSQL as the application logs in (`bursar_app`).",
            text.database_url,
            otherwise="an embedded PostgreSQL in DATA_DIR",
            is_secret=True,
        ),
    ]
    migration_database_url: Annotated[
        Secret | None,
        Variable(
            "MIGRATION_DATABASE_URL",
            "PostgreSQL as migrations log in (`bursar_owner`).",
            text.database_url,
            otherwise="set by Bursar when the database is embedded",
            is_secret=True,
        ),
    ]
    database_direct_url: Annotated[
        Secret | None,
        Variable(
            "DATABASE_DIRECT_URL",
            "PostgreSQL past the pooler, for advisory locks and wake-ups.",
            text.database_url,
            otherwise="DATABASE_URL",
            is_secret=True,
        ),
    ]
    database_pooler: Annotated[
        Literal["transaction"] | None,
        Variable(
            "DATABASE_POOLER",
            "`transaction` when DATABASE_URL leads to a pooler in transaction mode.",
            text.choice("transaction"),
            otherwise="no pooler",
        ),
    ]
    redis_url: Annotated[
        Secret | None,
        Variable(
            "REDIS_URL",
            "Redis, to share rate limits among processes.",
            text.network_url("redis", "rediss", "unix"),
            otherwise="not used",
            is_secret=True,
        ),
    ]
    secret_key: Annotated[
        Secret,
        Variable(
            "SECRET_KEY",
            "The root of every other secret: at least 32 random bytes, the same on every host.",
            text.root_secret,
            otherwise="made once and kept in DATA_DIR/secret_key; required in production",
            is_secret=True,
        ),
    ]
    secret_key_previous: Annotated[
        Secret | None,
        Variable(
            "SECRET_KEY_PREVIOUS",
            "The key before SECRET_KEY, while it is exchanged: what it made is still read.",
            text.root_secret,
            otherwise="only SECRET_KEY is known",
            is_secret=True,
        ),
    ]
    jwt_secret: Annotated[
        Secret,
        Variable(
            "JWT_SECRET",
            "Signs access tokens.",
            text.secret,
            otherwise="derived from SECRET_KEY",
            is_secret=True,
        ),
    ]
    jwt_refresh_secret: Annotated[
        Secret,
        Variable(
            "JWT_REFRESH_SECRET",
            "Keys the stored hashes of refresh tokens.",
            text.secret,
            otherwise="derived from SECRET_KEY",
            is_secret=True,
        ),
    ]
    jwt_lifetime_seconds: Annotated[
        int,
        Variable(
            "JWT_EXPIRES_IN",
            "Lifetime of an access token: 15m, 1h, or seconds.",
            text.duration_seconds(least=60, most=_DAY_SECONDS),
            default="15m",
        ),
    ]
    api_key_hash_salt: Annotated[
        Secret,
        Variable(
            "API_KEY_HASH_SALT",
            "Keys the stored hashes of API keys; changing it revokes them all.",
            text.secret,
            otherwise="derived from SECRET_KEY",
            is_secret=True,
        ),
    ]
    webhook_signing_secret: Annotated[
        Secret,
        Variable(
            "WEBHOOK_SIGNING_SECRET",
            "Root of the secrets that sign webhooks for endpoints without one of their own.",
            text.secret,
            otherwise="derived from SECRET_KEY",
            is_secret=True,
        ),
    ]
    stripe_secret_key: Annotated[
        Secret | None,
        Variable(
            "STRIPE_SECRET_KEY",
            "Stripe's key for live organizations.",
            text.stripe_key,
            otherwise="live payments are refused with `provider_not_configured`",
            is_secret=True,
        ),
    ]
    stripe_webhook_secret: Annotated[
        Secret | None,
        Variable(
            "STRIPE_WEBHOOK_SECRET",
            "Verifies what Stripe sends to our hook.",
            text.secret,
            otherwise="Stripe's events are refused",
            is_secret=True,
        ),
    ]
    sandbox_port: Annotated[
        int,
        Variable(
            "SANDBOX_PORT",
            "TCP port of the sandbox card processor that `bursar run` starts.",
            text.whole(least=1, most=_PORT_MAX),
            default="3001",
        ),
    ]
    sandbox_url: Annotated[
        str,
        Variable(
            "SANDBOX_URL",
            "The sandbox card processor, used by test organizations.",
            text.web_url,
            otherwise="http://127.0.0.1:SANDBOX_PORT",
        ),
    ]
    email_api_key: Annotated[
        Secret | None,
        Variable(
            "EMAIL_API_KEY",
            "Resend's key for sending mail.",
            text.secret,
            otherwise="mail goes to SMTP_URL, or stays in the outbox",
            is_secret=True,
        ),
    ]
    email_from: Annotated[
        str,
        Variable(
            "EMAIL_FROM",
            "Who mail is from: an address, or a name before one in angle brackets.",
            text.sender,
            otherwise="Bursar <bursar@the host of PUBLIC_URL>",
        ),
    ]
    smtp_url: Annotated[
        Secret | None,
        Variable(
            "SMTP_URL",
            "SMTP server for sending mail.",
            text.network_url("smtp", "smtps"),
            otherwise="mail goes by EMAIL_API_KEY, or stays in the outbox",
            is_secret=True,
        ),
    ]
    tax_service_url: Annotated[
        str | None,
        Variable(
            "TAX_SERVICE_URL",
            "A service that says which tax rates lie on a draft.",
            text.web_url,
            otherwise="each organization's own automatic rates",
        ),
    ]
    tax_service_key: Annotated[
        Secret | None,
        Variable(
            "TAX_SERVICE_KEY",
            "What Bursar signs in to TAX_SERVICE_URL with, as a bearer token.",
            text.secret,
            otherwise="it is asked without",
            is_secret=True,
        ),
    ]
    registration_mode: Annotated[
        Literal["open", "private"],
        Variable(
            "REGISTRATION_MODE",
            "`private` tells nobody but the owner of an address whether it is registered.",
            text.choice("open", "private"),
            default="open",
        ),
    ]

    dunning_retries_max: Annotated[
        int,
        Variable(
            "DUNNING_MAX_RETRIES",
            "How often a failed payment is tried again.",
            text.whole(least=0, most=_RETRIES_MAX),
            default="5",
        ),
    ]
    dunning_schedule_minutes: Annotated[
        tuple[int, ...],
        Variable(
            "DUNNING_SCHEDULE_MINUTES",
            "Minutes from each failed try to the next one, rising.",
            text.schedule_minutes,
            default="60,300,1800,7200,43200",
        ),
    ]
    usage_late_days_max: Annotated[
        int,
        Variable(
            "USAGE_LATE_DAYS",
            "How many days after it happened a usage event is still taken.",
            text.whole(least=1, most=_LATE_DAYS_MAX),
            default="35",
        ),
    ]
    demo_months: Annotated[
        int,
        Variable(
            "DEMO_MONTHS",
            "How many months the demo organization of `bursar run` has lived.",
            text.whole(least=1, most=_DEMO_MONTHS_MAX),
            default="12",
        ),
    ]
    webhook_delivery_timeout_ms: Annotated[
        int,
        Variable(
            "WEBHOOK_DELIVERY_TIMEOUT_MS",
            "How long one webhook delivery may take in all.",
            text.whole(least=100, most=60_000),
            default="10000",
        ),
    ]
    rate_limit_window_ms: Annotated[
        int,
        Variable(
            "RATE_LIMIT_WINDOW_MS",
            "Length of the sliding window in which requests are counted.",
            text.whole(least=1_000, most=3_600_000),
            default="60000",
        ),
    ]
    rate_limit_requests_max: Annotated[
        int,
        Variable(
            "RATE_LIMIT_MAX_REQUESTS",
            "Requests a caller may make in one window.",
            text.whole(least=1, most=1_000_000),
            default="100",
        ),
    ]
    webhook_allowed_networks: Annotated[
        tuple[Network, ...],
        Variable(
            "WEBHOOK_ALLOWED_NETWORKS", "Where webhooks may go in development.", text.networks, ""
        ),
    ]
    trusted_proxies: Annotated[
        Proxies,
        Variable(
            "TRUSTED_PROXIES",
            "Networks of our own proxies, or how many stand in a row; only they are believed.",
            text.proxies,
            default="",
        ),
    ]
    allowed_hosts: Annotated[
        tuple[str, ...],
        Variable(
            "ALLOWED_HOSTS",
            "Host names a request may carry; `*.example.com` covers the names below.",
            text.hosts,
            otherwise="the host of PUBLIC_URL and the loopback names",
        ),
    ]
    cors_origins: Annotated[
        tuple[str, ...],
        Variable(
            "CORS_ORIGINS",
            "Origins whose pages may call the API from a browser, with commas between them.",
            text.origins,
            default="",
        ),
    ]
    metrics_port: Annotated[
        int | None,
        Variable(
            "METRICS_PORT",
            "TCP port on which a worker by itself shows `/metrics` and `/health/live`.",
            text.whole(least=1, most=_PORT_MAX),
            otherwise="it shows none; under `bursar run` the API shows its workers' metrics",
        ),
    ]
    otlp_endpoint: Annotated[
        str | None,
        Variable(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "Where traces are sent by OTLP over HTTP.",
            text.web_url,
            otherwise="no traces leave",
        ),
    ]

    @property
    def host(self) -> str:
        """Where to listen: a container of production is reached from outside, nothing else is."""
        # In a container the loopback is its own: its proxy and Prometheus would find nobody there.
        return str(IPv4Address(INADDR_ANY if self.is_production else INADDR_LOOPBACK))

    @property
    def is_production(self) -> bool:
        return self.app_env == "production"

    def derived(self, label: str) -> Secret:
        """A secret for one use of its own, named by the label."""
        return derive(self.secret_key, label)


def _variables() -> Mapping[str, Variable]:
    hints = get_type_hints(Settings, include_extras=True)
    return {attribute: hint.__metadata__[0] for attribute, hint in hints.items()}


_VARIABLES: Final = _variables()
FIELDS: Final[Mapping[str, Variable]] = _VARIABLES
"""Attribute of `Settings` → its variable and meaning, in the order of the reference page."""


def from_environment() -> Settings:
    """The settings of this very process."""
    return load(os.environ)


def child_environment(overrides: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with some variables replaced, for a child to start with."""
    return {**os.environ, **overrides}


def metrics_folder() -> Path | None:
    """Where processes of one tree keep their metrics together; the Prometheus client's own name."""
    folder = os.environ.get(METRICS_FOLDER, "")
    return Path(folder) if folder else None


def load(environ: Mapping[str, str]) -> Settings:
    """Read every variable; an empty one counts as unset.

    Raises:
        SettingsInvalid: the first variable that is missing or wrong.
    """
    read: dict[str, Any] = {
        attribute: value_of(variable, environ) for attribute, variable in FIELDS.items()
    }
    for attribute, reason in found_wrong(read, roots=("secret_key", *_DERIVED)):
        raise SettingsInvalid(FIELDS[attribute].name, reason)
    read["secret_key"] = read["secret_key"] or kept_secret(read["data_dir"])
    for attribute in _DERIVED:
        read[attribute] = read[attribute] or derive(read["secret_key"], attribute)
    read["public_url"] = read["public_url"] or f"http://localhost:{read['port']}"
    host = text.hosts_of(read["public_url"])[0]
    read["email_from"] = read["email_from"] or f"Bursar <bursar@{host}>"
    read["sandbox_url"] = read["sandbox_url"] or f"http://127.0.0.1:{read['sandbox_port']}"
    read["allowed_hosts"] = read["allowed_hosts"] or text.hosts_of(read["public_url"])
    return Settings(**read)
