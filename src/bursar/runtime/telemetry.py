"""What is counted and timed, for Prometheus: one registry a process, one verb for each occasion.

Which metrics there are, `metrics` says. An id, an address or any word of a customer's never becomes
a label. Whoever is asked for `/metrics` sends `exposition`. Processes that share a folder (the
Prometheus client learns it from `PROMETHEUS_MULTIPROC_DIR` before it is imported) answer for one
another, as long as they live.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from os import kill
from pathlib import Path
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client import Counter as Count
from prometheus_client import Histogram as Spread
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from bursar.runtime.depth import Depth
from bursar.runtime.metrics import Instruments
from bursar.runtime.release import VERSION
from bursar.runtime.settings import metrics_folder

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
NO_ROUTE: Final = "unmatched"

# What the client leaves untyped, as we call it.
_disable_created: Final[Callable[[], object]] = disable_created_metrics
_collect_from: Final[Callable[[CollectorRegistry, str], object]] = MultiProcessCollector
_mark_dead: Final[Callable[[int, str], object]] = mark_process_dead

_BREAKER_STATES: Final = {"closed": 0, "half_open": 1, "open": 2}


class Telemetry:
    """The metrics of one process; `part` is what it is: `api`, `worker`."""

    def __init__(self, *, version: str, part: str = "api", shared: Path | None = None) -> None:
        _disable_created()
        self._shared = shared
        self._part = part
        self.registry = CollectorRegistry()
        made = Instruments(self.registry)
        self._count, self._gauge, self._spread = made.counters, made.gauges, made.histograms
        self._ends: dict[str, tuple[Count, Spread]] = {}
        self._requests: dict[tuple[str, str, int], tuple[Spread, Count]] = {}
        self._batches: dict[str, Spread] = {}
        self._gauge["build_info"].labels(version).set(1)
        for mode in ("sandbox", "live"):
            for outcome in ("succeeded", "failed"):
                # What is missing has no rise: the first failures would not be seen as any.
                self._count["payments_processed_total"].labels(mode, outcome)
        for outcome in ("billed", "put_off"):
            self._count["billing_subscriptions_total"].labels(outcome)

    def request(self, *, method: str, route: str | None, status: int, seconds: float) -> None:
        """One HTTP request answered; `route` is the template, `None` when nothing matched."""
        spot = method, route or NO_ROUTE, status
        known = self._requests.get(spot)
        if known is None:  # to find an instrument by its labels costs more than to use it
            known = self._requests[spot] = (
                self._spread["http_request_duration_seconds"].labels(*spot[:2]),
                self._count["http_requests_total"].labels(*spot[:2], str(status)),
            )
        timer, counter = known
        timer.observe(seconds)
        counter.inc()

    def shared_commit(self, operation: str, *, requests: int) -> None:
        """So many requests were decided in one transaction."""
        known = self._batches.get(operation)
        if known is None:
            known = self._spread["commit_batch_size"].labels(operation)
            self._batches[operation] = known
        known.observe(requests)

    def invoice_created(self, *, mode: str, times: int = 1) -> None:
        """So many invoices more, `sandbox` or `live`."""
        self._count["invoices_created_total"].labels(mode).inc(times)

    def payment_settled(self, *, mode: str, outcome: str, times: int = 1) -> None:
        """Payment attempts came to an end."""
        self._count["payments_processed_total"].labels(mode, outcome).inc(times)

    def told(self, events: Iterable[str], *, mode: str | None) -> None:
        """What a committed verb told: some events are business figures."""
        for event, times in Counter(events).items():
            self._told(event, mode or "sandbox", times)

    def _told(self, event: str, mode: str, times: int) -> None:
        if event == "invoice.created":
            self.invoice_created(mode=mode, times=times)
        elif event in {"payment.succeeded", "payment.failed"}:
            outcome = event.removeprefix("payment.")
            self.payment_settled(mode=mode, outcome=outcome, times=times)
        elif event.startswith(("wallet.", "hold.")):
            self._count["wallet_operations_total"].labels(event).inc(times)
        elif event.startswith("transaction."):
            self._count["saga_events_total"].labels(event).inc(times)
        elif event.startswith("dunning."):
            self._count["dunning_events_total"].labels(mode, event).inc(times)
        elif event.startswith("subscription."):
            self._count["subscription_steps_total"].labels(event).inc(times)

    def transfer_ended(self, *, outcome: str, minor: int, lasted: timedelta) -> None:
        """One transfer between wallets is over: `COMPLETED` or `FAILED`."""
        ended, duration = self._ends.get(outcome) or self._end(outcome)
        ended.inc()
        duration.observe(lasted.total_seconds())
        self._spread["transaction_amount"].observe(minor)

    def _end(self, outcome: str) -> tuple[Count, Spread]:
        """The two of one outcome: finding them takes longer than counting."""
        found = (
            self._count["transactions_total"].labels(outcome),
            self._spread["saga_processing_duration_seconds"].labels(outcome),
        )
        self._ends[outcome] = found
        return found

    def in_transit(self, *, active: int, oldest_seconds: float) -> None:
        """How many transfers are only debited now, and for how long the oldest has been."""
        self._gauge["active_transactions"].set(active)
        self._gauge["transit_age_seconds"].set(oldest_seconds)

    def billed(self, *, subscriptions: int, put_off: int, seconds: float) -> None:
        """A chunk of the billing run is committed."""
        self._count["billing_subscriptions_total"].labels("billed").inc(subscriptions)
        self._count["billing_subscriptions_total"].labels("put_off").inc(put_off)
        self._spread["billing_run_duration_seconds"].observe(seconds)

    def billing_backlog(self, *, due: int, oldest_seconds: float) -> None:
        """How many subscriptions are due to be billed now, and for how long the oldest has been."""
        self._gauge["billing_due_subscriptions"].set(due)
        self._gauge["billing_due_age_seconds"].set(oldest_seconds)

    def job(self, *, queue: str, task: str, outcome: str, seconds: float) -> None:
        """One attempt at a job, however it ended."""
        self._spread["queue_job_duration_seconds"].labels(queue, task, outcome).observe(seconds)
        self._count["queue_jobs_total"].labels(queue, outcome).inc()

    def job_failed(self, *, queue: str, task: str) -> None:
        """An attempt failed: it will be tried again, or was the last."""
        self._count["queue_failed_total"].labels(queue, task).inc()

    def depths(self, depths: Iterable[Depth]) -> None:
        """How full the queues are now."""
        for depth in depths:
            queue = depth.queue.value
            self._gauge["queue_depth"].labels(queue, "waiting").set(depth.waiting)
            self._gauge["queue_depth"].labels(queue, "running").set(depth.running)
            self._gauge["queue_depth"].labels(queue, "held").set(depth.held)
            self._gauge["queue_dead_letters"].labels(queue).set(depth.held)
            self._gauge["queue_lag_seconds"].labels(queue).set(depth.lag_seconds)

    def lags(self, *, agenda_seconds: float, outbox_seconds: float) -> None:
        """How late the oldest due item and the oldest untold event are now."""
        self._gauge["agenda_lag_seconds"].set(agenda_seconds)
        self._gauge["outbox_lag_seconds"].set(outbox_seconds)

    def measured(self, *, epoch_seconds: float) -> None:
        """A worker went round and measured: as long as it does, work is done."""
        self._gauge["worker_pulse_seconds"].set(epoch_seconds)

    def books(self, *, wallets: Mapping[str, int], imbalance: Mapping[str, int]) -> None:
        """What wallets have and how far books are from zero, each by currency, over everybody."""
        for currency, minor in wallets.items():
            self._gauge["wallet_balance_total"].labels(currency).set(minor)
        for currency, minor in imbalance.items():
            self._gauge["ledger_imbalance_minor"].labels(currency).set(minor)

    def money_waiting(self, waiting: Mapping[tuple[str, str], int]) -> None:
        """What waits to be settled, by kind and currency."""
        for (kind, currency), minor in waiting.items():
            self._gauge["money_waiting_minor"].labels(kind, currency).set(minor)

    def provider_call(self, *, call: str, outcome: str, seconds: float) -> None:
        """One call to the payment provider; `unexpected` is an answer that was not believed."""
        self._spread["stripe_api_duration_seconds"].labels(call, outcome).observe(seconds)
        if outcome == "unexpected":
            self._count["provider_answers_held_total"].inc()

    def webhook_attempted(self, *, status: str, seconds: float) -> None:
        """One attempt to deliver a webhook: `delivered`, `switch_off` or `retry`."""
        self._count["webhook_deliveries_total"].labels(status).inc()
        self._spread["webhook_delivery_duration_seconds"].observe(seconds)
        if status == "retry":
            self._count["webhook_retries_total"].inc()

    def sign_in_tried(self, *, outcome: str) -> None:
        """Somebody tried to sign in: `succeeded`, or the reason why not."""
        self._count["auth_attempts_total"].labels(outcome).inc()

    def sessions(self, active: int) -> None:
        """How many sessions this process saw lately."""
        self._gauge["active_sessions"].set(active)

    def breaker(self, *, provider: str, state: str) -> None:
        """A circuit breaker is `closed`, `half_open` or `open`."""
        self._gauge["circuit_breaker_state"].labels(provider).set(_BREAKER_STATES[state])

    def limits_shared(self, is_shared: bool) -> None:
        """Rate limits are counted in Redis, or by each process alone."""
        self._gauge["rate_limits_shared"].set(is_shared)

    def replay(self) -> None:
        """A stored answer was given to a repeated request."""
        self._count["idempotent_replays_total"].inc()

    def unhandled(self, *, where: str) -> None:
        """An exception nobody expected: a bug, in `api`, `worker` or a loop."""
        self._count["unhandled_exceptions_total"].labels(where).inc()

    def loop(self, *, lag_seconds: float, tasks: int) -> None:
        """How late the event loop was, and how much is under way on it."""
        self._gauge["event_loop_lag_seconds"].labels(self._part).set(lag_seconds)
        self._gauge["event_loop_tasks"].labels(self._part).set(tasks)

    def usage(self, *, cpu_seconds: float, memory_bytes: int, open_files: int) -> None:
        """Processor time since last told, and what the process holds now."""
        self._count["process_cpu_seconds_total"].labels(self._part).inc(cpu_seconds)
        self._gauge["process_resident_memory_bytes"].labels(self._part).set(memory_bytes)
        self._gauge["process_open_fds"].labels(self._part).set(open_files)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format; see `CONTENT_TYPE`."""
        if self._shared is None:
            return generate_latest(self.registry)
        _forget_the_dead(self._shared)
        together = CollectorRegistry()
        _collect_from(together, str(self._shared))
        return generate_latest(together)


def telemetry_of(part: str) -> Telemetry:
    """The metrics of this process, shared with its tree where there is one."""
    return Telemetry(version=VERSION, part=part, shared=metrics_folder())


def _forget_the_dead(folder: Path) -> None:
    """A process that ended holds nothing any more; what it counted stays counted."""
    for path in folder.glob("gauge_live*_*.db"):
        pid = int(path.stem.rpartition("_")[2])
        with suppress(PermissionError):  # it lives, and is not ours
            try:
                kill(pid, 0)
            except ProcessLookupError:
                _mark_dead(pid, str(folder))
