"""What is counted and timed, for Prometheus: one registry a process, every metric by its name.

Labels are few and closed: route templates, queues, task names, outcomes. An id, an address or any
word of a customer's never becomes a label. Whoever measures calls a verb; whoever is asked for
`/metrics` sends `exposition`. Processes that share a folder (the Prometheus client learns it from
`PROMETHEUS_MULTIPROC_DIR` before it is imported) answer for one another.
"""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from bursar.runtime.queue import Depth

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
NO_ROUTE: Final = "unmatched"

_HTTP_SECONDS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_JOB_SECONDS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_PROVIDER_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)
_AMOUNTS: Final = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
_BREAKER_STATES: Final = {"closed": 0, "half_open": 1, "open": 2}


class Telemetry:
    """The metrics of one process."""

    def __init__(self, *, version: str, shared: Path | None = None) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the client left it so
        self._shared = shared
        self.registry = CollectorRegistry()
        if shared is None:
            ProcessCollector(registry=self.registry)
        self._count_requests()
        self._count_business()
        self._count_work()
        self._count_strangers()
        self._gauge("build_info", "Which release runs here.", "version").labels(version).set(1)

    def request(self, *, method: str, route: str | None, status: int, seconds: float) -> None:
        """One HTTP request answered; `route` is the template, `None` when nothing matched."""
        template = route or NO_ROUTE
        self._http_seconds.labels(method, template).observe(seconds)
        self._http_requests.labels(method, template, str(status)).inc()

    def invoice_created(self, *, mode: str) -> None:
        """One invoice more, `sandbox` or `live`."""
        self._invoices.labels(mode).inc()

    def payment_settled(self, *, mode: str, outcome: str) -> None:
        """One payment attempt came to an end."""
        self._payments.labels(mode, outcome).inc()

    def told(self, events: Iterable[str], *, mode: str | None) -> None:
        """What a committed verb told: some events are business figures."""
        for event in events:
            if event == "invoice.created":
                self.invoice_created(mode=mode or "sandbox")
            elif event in {"payment.succeeded", "payment.failed"}:
                outcome = event.removeprefix("payment.")
                self.payment_settled(mode=mode or "sandbox", outcome=outcome)
            elif event.startswith(("wallet.", "hold.")):
                self.wallet_operation(operation=event)
            elif event.startswith("transaction."):
                self._transfer_steps.labels(event).inc()
            elif event.startswith("dunning."):
                self._dunning.labels(mode or "sandbox", event).inc()
            elif event.startswith("subscription."):
                self._subscription_steps.labels(event).inc()

    def wallet_operation(self, *, operation: str) -> None:
        """Something happened to a wallet or a hold: `wallet.deposited`, `hold.captured`, …."""
        self._wallet_operations.labels(operation).inc()

    def transfer_ended(self, *, outcome: str, minor: int, lasted: timedelta) -> None:
        """One transfer between wallets is over: `COMPLETED` or `FAILED`."""
        self._transfers.labels(outcome).inc()
        self._transfer_amounts.observe(minor)
        self._transfer_seconds.labels(outcome).observe(lasted.total_seconds())

    def in_transit(self, *, active: int, oldest_seconds: float) -> None:
        """How many transfers are only debited now, and for how long the oldest has been."""
        self._active_transfers.set(active)
        self._transit_age.set(oldest_seconds)

    def billed(self, *, subscriptions: int, put_off: int, seconds: float) -> None:
        """A chunk of the billing run is committed."""
        self._billed.labels("billed").inc(subscriptions)
        self._billed.labels("put_off").inc(put_off)
        self._billing_seconds.observe(seconds)

    def billing_backlog(self, *, due: int, oldest_seconds: float) -> None:
        """How many subscriptions are due to be billed now, and for how long the oldest has been."""
        self._billing_due.set(due)
        self._billing_age.set(oldest_seconds)

    def job(self, *, queue: str, task: str, outcome: str, seconds: float) -> None:
        """One attempt at a job, however it ended."""
        self._job_seconds.labels(queue, task, outcome).observe(seconds)

    def job_failed(self, *, queue: str, task: str) -> None:
        """An attempt failed: it will be tried again, or was the last."""
        self._jobs_failed.labels(queue, task).inc()

    def depths(self, depths: Iterable[Depth]) -> None:
        """How full the queues are now."""
        for depth in depths:
            queue = depth.queue.value
            self._depth.labels(queue, "waiting").set(depth.waiting)
            self._depth.labels(queue, "running").set(depth.running)
            self._depth.labels(queue, "held").set(depth.held)
            self._queue_lag.labels(queue).set(depth.lag_seconds)

    def lags(self, *, agenda_seconds: float, outbox_seconds: float) -> None:
        """How late the oldest due item and the oldest untold event are now."""
        self._agenda_lag.set(agenda_seconds)
        self._outbox_lag.set(outbox_seconds)

    def provider_call(self, *, call: str, outcome: str, seconds: float) -> None:
        """One call to the payment provider."""
        self._provider_seconds.labels(call, outcome).observe(seconds)

    def breaker(self, *, provider: str, state: str) -> None:
        """A circuit breaker is `closed`, `half_open` or `open`."""
        self._breakers.labels(provider).set(_BREAKER_STATES[state])

    def limits_shared(self, is_shared: bool) -> None:
        """Rate limits are counted in Redis, or by each process alone."""
        self._limits_shared.set(is_shared)

    def replay(self) -> None:
        """A stored answer was given to a repeated request."""
        self._replays.inc()

    def unhandled(self, *, where: str) -> None:
        """An exception nobody expected: a bug, in `api`, `worker` or a loop."""
        self._unhandled.labels(where).inc()

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format; see `CONTENT_TYPE`."""
        if self._shared is None:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together, path=str(self._shared))  # type: ignore[no-untyped-call]  # same
        return generate_latest(together)

    def _count_requests(self) -> None:
        self._http_seconds = Histogram(
            "http_request_duration_seconds",
            "How long an answer took, by route template.",
            ("method", "route"),
            buckets=_HTTP_SECONDS,
            registry=self.registry,
        )
        self._http_requests = self._counter(
            "http_requests_total", "Requests answered.", "method", "route", "status"
        )
        self._limits_shared = self._gauge(
            "rate_limits_shared", "1 while Redis counts for all processes, 0 while each is alone."
        )
        self._replays = self._counter("idempotent_replays_total", "Stored answers given again.")
        self._unhandled = self._counter(
            "unhandled_exceptions_total", "Exceptions nobody expected.", "where"
        )

    def _count_business(self) -> None:
        self._invoices = self._counter("invoices_created_total", "Invoices made.", "mode")
        self._payments = self._counter(
            "payments_processed_total", "Payment attempts that ended.", "mode", "outcome"
        )
        self._subscription_steps = self._counter(
            "subscription_steps_total", "What happened to subscriptions.", "step"
        )
        self._dunning = self._counter(
            "dunning_events_total", "What happened to invoices in dunning.", "mode", "event_type"
        )
        self._wallet_operations = self._counter(
            "wallet_operations_total", "What happened to wallets and holds.", "operation"
        )

        self._transfers = self._counter(
            "transactions_total", "Transfers between wallets that ended.", "status"
        )
        self._transfer_steps = self._counter(
            "saga_events_total", "Steps that transfers between wallets took.", "event_type"
        )
        self._transfer_amounts = Histogram(
            "transaction_amount",
            "What a transfer moved, in minor units of its currency.",
            buckets=_AMOUNTS,
            registry=self.registry,
        )
        self._transfer_seconds = Histogram(
            "saga_processing_duration_seconds",
            "How long a transfer took from its debit to its end.",
            ("outcome",),
            buckets=_JOB_SECONDS,
            registry=self.registry,
        )
        self._active_transfers = self._gauge(
            "active_transactions", "Transfers between their debit and their credit."
        )
        self._transit_age = self._gauge(
            "transit_age_seconds", "How long the oldest of them has been there."
        )

        self._count_billing()

    def _count_billing(self) -> None:
        self._billed = self._counter(
            "billing_subscriptions_total", "Subscriptions that the billing run came to.", "outcome"
        )
        self._billing_seconds = Histogram(
            "billing_run_duration_seconds",
            "How long a chunk of the billing run took, from its claim to its commit.",
            buckets=_JOB_SECONDS,
            registry=self.registry,
        )
        self._billing_due = self._gauge(
            "billing_due_subscriptions", "Subscriptions that are due to be billed."
        )
        self._billing_age = self._gauge(
            "billing_due_age_seconds", "For how long the oldest of them has been due."
        )

    def _count_work(self) -> None:
        self._job_seconds = Histogram(
            "queue_job_duration_seconds",
            "How long an attempt at a job took, by how it ended.",
            ("queue", "task", "outcome"),
            buckets=_JOB_SECONDS,
            registry=self.registry,
        )
        self._jobs_failed = self._counter(
            "queue_failed_total", "Attempts at jobs that failed.", "queue", "task"
        )
        self._depth = self._gauge("queue_depth", "Jobs in a queue, by state.", "queue", "state")
        self._queue_lag = self._gauge(
            "queue_lag_seconds", "How long the oldest due job waits.", "queue"
        )
        self._agenda_lag = self._gauge("agenda_lag_seconds", "How late the oldest due item is.")
        self._outbox_lag = self._gauge("outbox_lag_seconds", "How late the oldest untold event is.")

    def _count_strangers(self) -> None:
        self._provider_seconds = Histogram(
            "stripe_api_duration_seconds",
            "How long a call to the payment provider took.",
            ("call", "outcome"),
            buckets=_PROVIDER_SECONDS,
            registry=self.registry,
        )
        self._breakers = self._gauge(
            "circuit_breaker_state", "0 closed, 1 half open, 2 open.", "provider"
        )

    def _counter(self, name: str, tells: str, *labels: str) -> Counter:
        return Counter(name, tells, labels, registry=self.registry)

    def _gauge(self, name: str, tells: str, *labels: str) -> Gauge:
        return Gauge(name, tells, labels, registry=self.registry, multiprocess_mode="mostrecent")
