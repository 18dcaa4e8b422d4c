"""Every metric by its name, kind, sentence and labels: the table that telemetry is made from.

Nothing is counted here. Dashboards, alerts and `docs/reference/metrics.md` use names of this table
and no others. Labels are few and closed: route templates, queues, task names, outcomes, currencies.
"""

from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_HTTP_SECONDS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)
_WORK_SECONDS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
_WIRE_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30)
_REQUESTS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000)
_AMOUNTS: Final = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)

Together = Literal["mostrecent", "livesum", "livemax"]


class Metric(Struct, frozen=True):
    """One metric; `together` says how a gauge of several processes of one tree becomes one."""

    name: str
    tells: str
    labels: tuple[str, ...] = ()
    together: Together = "mostrecent"
    buckets: tuple[float, ...] = ()

    @property
    def kind(self) -> str:
        """As Prometheus calls it."""
        if self.buckets:
            return "histogram"
        return "counter" if self in COUNTERS else "gauge"


COUNTERS: Final = (
    Metric("http_requests_total", "Requests answered.", ("method", "route", "status")),
    Metric("idempotent_replays_total", "Stored answers given again."),
    Metric(
        "provider_answers_held_total",
        "Answers of a payment provider that came and were not believed.",
    ),
    Metric("unhandled_exceptions_total", "Exceptions nobody expected.", ("where",)),
    Metric("auth_attempts_total", "Tries to sign in, by how they ended.", ("outcome",)),
    Metric("invoices_created_total", "Invoices made.", ("mode",)),
    Metric("payments_processed_total", "Payment attempts that ended.", ("mode", "outcome")),
    Metric("subscription_steps_total", "What happened to subscriptions.", ("step",)),
    Metric("dunning_events_total", "What happened to invoices in dunning.", ("mode", "event_type")),
    Metric("wallet_operations_total", "What happened to wallets and holds.", ("operation",)),
    Metric("transactions_total", "Transfers between wallets that ended.", ("status",)),
    Metric("saga_events_total", "Steps that transfers between wallets took.", ("event_type",)),
    Metric(
        "billing_subscriptions_total", "Subscriptions that the billing run came to.", ("outcome",)
    ),
    Metric("queue_jobs_total", "Attempts at jobs, by how they ended.", ("queue", "status")),
    Metric("queue_failed_total", "Attempts at jobs that failed.", ("queue", "task")),
    Metric("webhook_deliveries_total", "Attempts to deliver a webhook.", ("status",)),
    Metric("webhook_retries_total", "Webhook deliveries that were put off to another attempt."),
    Metric("process_cpu_seconds_total", "Processor time used.", ("part",)),
)

GAUGES: Final = (
    Metric("build_info", "Which release runs here.", ("version",)),
    Metric("rate_limits_shared", "1 while Redis counts for all processes, 0 while each is alone."),
    Metric(
        "active_sessions",
        "Sessions seen in the last 15 minutes, by each process of the API.",
        together="livesum",
    ),
    Metric("wallet_balance_total", "What all wallets have, in minor units.", ("currency",)),
    Metric("active_transactions", "Transfers between their debit and their credit."),
    Metric("transit_age_seconds", "How long the oldest of them has been there."),
    Metric(
        "money_waiting_minor",
        "What waits behind a queue: begun with a stranger or a wallet, and not settled.",
        ("kind", "currency"),
    ),
    Metric(
        "ledger_imbalance_minor",
        "How far the books are from zero; never anything else.",
        ("currency",),
    ),
    Metric("billing_due_subscriptions", "Subscriptions that are due to be billed."),
    Metric("billing_due_age_seconds", "For how long the oldest of them has been due."),
    Metric("queue_depth", "Jobs in a queue: waiting, running, held.", ("queue", "state")),
    Metric(
        "queue_dead_letters", "Jobs that used up their attempts and wait for somebody.", ("queue",)
    ),
    Metric("queue_lag_seconds", "How long the oldest due job waits.", ("queue",)),
    Metric("agenda_lag_seconds", "How late the oldest due item is."),
    Metric("outbox_lag_seconds", "How late the oldest untold event is."),
    Metric("worker_pulse_seconds", "When a worker last measured, in seconds since 1970."),
    Metric("circuit_breaker_state", "0 closed, 1 half open, 2 open.", ("provider",)),
    Metric(
        "event_loop_lag_seconds", "How late the loop was to its last second.", ("part",), "livemax"
    ),
    Metric("event_loop_tasks", "Coroutines under way.", ("part",), "livesum"),
    Metric("process_resident_memory_bytes", "Memory in use.", ("part",), "livesum"),
    Metric("process_open_fds", "Open files and sockets.", ("part",), "livesum"),
)

HISTOGRAMS: Final = (
    Metric(
        "http_request_duration_seconds",
        "How long an answer took, by route template.",
        ("method", "route"),
        buckets=_HTTP_SECONDS,
    ),
    Metric(
        "commit_batch_size",
        "Requests that shared one commit, refused ones included.",
        ("operation",),
        buckets=_REQUESTS,
    ),
    Metric(
        "transaction_amount",
        "What a transfer moved, in minor units of its currency.",
        buckets=_AMOUNTS,
    ),
    Metric(
        "saga_processing_duration_seconds",
        "How long a transfer took from its debit to its end.",
        ("outcome",),
        buckets=_WORK_SECONDS,
    ),
    Metric(
        "billing_run_duration_seconds",
        "How long a chunk of the billing run took, from its claim to its commit.",
        buckets=_WORK_SECONDS,
    ),
    Metric(
        "queue_job_duration_seconds",
        "How long an attempt at a job took, by how it ended.",
        ("queue", "task", "outcome"),
        buckets=_WORK_SECONDS,
    ),
    Metric(
        "stripe_api_duration_seconds",
        "How long a call to the payment provider took.",
        ("call", "outcome"),
        buckets=_WIRE_SECONDS,
    ),
    Metric(
        "webhook_delivery_duration_seconds",
        "How long an attempt to deliver a webhook took.",
        buckets=_WIRE_SECONDS,
    ),
)

METRICS: Final = (*COUNTERS, *GAUGES, *HISTOGRAMS)


class Instruments:
    """Every metric of the table, registered; each is found by its name."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.counters = {
            each.name: Counter(each.name, each.tells, each.labels, registry=registry)
            for each in COUNTERS
        }
        self.gauges = {
            each.name: Gauge(
                each.name,
                each.tells,
                each.labels,
                registry=registry,
                multiprocess_mode=each.together,
            )
            for each in GAUGES
        }
        self.histograms = {
            each.name: Histogram(
                each.name, each.tells, each.labels, registry=registry, buckets=each.buckets
            )
            for each in HISTOGRAMS
        }


def sample_names(metric: Metric) -> Iterator[str]:
    """The names under which a scrape shows a metric."""
    if metric.buckets:
        yield from (f"{metric.name}_{part}" for part in ("bucket", "sum", "count"))
    else:
        yield metric.name
