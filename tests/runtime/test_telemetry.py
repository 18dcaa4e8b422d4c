"""What `/metrics` says: every promised name, closed labels, one answer for several processes."""

import subprocess
import sys
import tempfile
import textwrap
from datetime import timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from bursar.domain.tasks import Queue
from bursar.runtime.depth import Depth
from bursar.runtime.metrics import COUNTERS, GAUGES, HISTOGRAMS
from bursar.runtime.settings import METRICS_FOLDER, child_environment
from bursar.runtime.telemetry import Telemetry

# Names that other people's dashboards rest on, without the `_total` of counters.
PROMISED = frozenset(
    {
        *("http_request_duration_seconds", "http_requests", "invoices_created"),
        *("payments_processed", "queue_job_duration_seconds", "queue_depth", "queue_failed"),
        *("stripe_api_duration_seconds", "circuit_breaker_state", "unhandled_exceptions"),
        "provider_answers_held",
        *("transactions", "active_transactions", "transaction_amount", "saga_events"),
        *("saga_processing_duration_seconds", "transit_age_seconds", "queue_jobs"),
        *("agenda_lag_seconds", "outbox_lag_seconds", "idempotent_replays", "build_info"),
        *("wallet_operations", "wallet_balance_total", "webhook_deliveries", "webhook_retries"),
        *("webhook_delivery_duration_seconds", "auth_attempts", "active_sessions"),
        *("process_resident_memory_bytes", "event_loop_lag_seconds", "process_cpu_seconds"),
        *("queue_dead_letters", "money_waiting_minor", "ledger_imbalance_minor"),
    }
)
HTTP_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


def read(exposition: bytes) -> dict[str, float]:
    """Every sample as `name{label=value,…}`."""
    found = {}
    for family in text_string_to_metric_families(exposition.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_every_promised_metric_is_there() -> None:
    # Each name exists from the start, with a sentence of help, before anything happened.
    text = Telemetry(version="1.2.3").exposition().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert sorted(PROMISED - set(families)) == []
    assert all(families[name].documentation for name in PROMISED)
    assert read(text.encode())["build_info{version=1.2.3}"] == 1
    assert set(families) == {each.name.removesuffix("_total") for each in COUNTERS} | {
        each.name for each in (*GAUGES, *HISTOGRAMS)
    }
    (http,) = [each for each in HISTOGRAMS if each.name == "http_request_duration_seconds"]
    assert set(HTTP_BUCKETS) <= set(http.buckets)
    assert not [name for name in families if name.endswith("_created") and "invoices" not in name]


def test_verbs_move_their_metrics() -> None:
    # Each verb is visible under its labels, and two registries know nothing of each other.
    telemetry = Telemetry(version="1")
    telemetry.request(method="POST", route="/v1/invoices/{id}/pay", status=200, seconds=0.02)
    telemetry.request(method="GET", route=None, status=404, seconds=0.001)
    telemetry.invoice_created(mode="sandbox")
    telemetry.payment_settled(mode="sandbox", outcome="succeeded")
    telemetry.job(queue="payments", task="ConfirmPayment", outcome="done", seconds=0.3)
    telemetry.job_failed(queue="payments", task="ConfirmPayment")
    telemetry.depths([Depth(Queue.PAYMENTS, waiting=7, running=2, held=1, lag_seconds=3.5)])
    telemetry.lags(agenda_seconds=1.5, outbox_seconds=0)
    telemetry.told(["transaction.refunding"], mode="sandbox")
    telemetry.transfer_ended(outcome="FAILED", minor=2_500, lasted=timedelta(seconds=12))
    telemetry.in_transit(active=3, oldest_seconds=61)
    telemetry.provider_call(call="charge", outcome="succeeded", seconds=0.4)
    telemetry.provider_call(call="refund", outcome="unexpected", seconds=0.1)
    telemetry.breaker(provider="stripe", state="open")
    telemetry.replay()
    telemetry.unhandled(where="api")
    telemetry.told(["subscription.paused", "subscription.resumed"], mode=None)
    telemetry.webhook_attempted(status="retry", seconds=0.2)
    telemetry.sign_in_tried(outcome="wrong_credentials")
    telemetry.books(wallets={"EUR": 12}, imbalance={"EUR": 0})
    telemetry.money_waiting({("payment", "EUR"): 1_999})
    found = read(telemetry.exposition())
    pay = "method=POST,route=/v1/invoices/{id}/pay"
    job = "outcome=done,queue=payments,task=ConfirmPayment"
    assert found[f"http_requests_total{{{pay},status=200}}"] == 1
    assert found[f"http_request_duration_seconds_bucket{{le=0.025,{pay}}}"] == 1
    assert found["http_requests_total{method=GET,route=unmatched,status=404}"] == 1
    assert found["invoices_created_total{mode=sandbox}"] == 1
    assert found["payments_processed_total{mode=sandbox,outcome=succeeded}"] == 1
    assert found[f"queue_job_duration_seconds_count{{{job}}}"] == 1
    assert found["queue_failed_total{queue=payments,task=ConfirmPayment}"] == 1
    assert found["queue_depth{queue=payments,state=waiting}"] == 7
    assert found["queue_dead_letters{queue=payments}"] == 1
    assert found["queue_jobs_total{queue=payments,status=done}"] == 1
    assert found["webhook_deliveries_total{status=retry}"] == 1
    assert found["webhook_retries_total{}"] == 1
    assert found["auth_attempts_total{outcome=wrong_credentials}"] == 1
    assert found["wallet_balance_total{currency=EUR}"] == 12
    assert found["ledger_imbalance_minor{currency=EUR}"] == 0
    assert found["money_waiting_minor{currency=EUR,kind=payment}"] == 1_999
    assert found["queue_lag_seconds{queue=payments}"] == 3.5
    assert found["agenda_lag_seconds{}"] == 1.5
    assert found["subscription_steps_total{step=subscription.paused}"] == 1
    assert found["transactions_total{status=FAILED}"] == 1
    assert found["saga_processing_duration_seconds_sum{outcome=FAILED}"] == 12
    assert found["transaction_amount_sum{}"] == 2_500
    assert found["saga_events_total{event_type=transaction.refunding}"] == 1
    assert (found["active_transactions{}"], found["transit_age_seconds{}"]) == (3, 61)
    assert found["stripe_api_duration_seconds_sum{call=charge,outcome=succeeded}"] == 0.4
    assert found["provider_answers_held_total{}"] == 1
    assert found["circuit_breaker_state{provider=stripe}"] == 2
    assert found["idempotent_replays_total{}"] == 1
    assert found["unhandled_exceptions_total{where=api}"] == 1
    assert read(Telemetry(version="1").exposition())["idempotent_replays_total{}"] == 0


def test_a_shared_commit_counts_its_requests() -> None:
    # By what they asked for: eight in one commit and three in another.
    telemetry = Telemetry(version="1")
    for requests in (8, 3):
        telemetry.shared_commit("create_together", requests=requests)
    found = read(telemetry.exposition())
    assert found["commit_batch_size_bucket{le=4.0,operation=create_together}"] == 1
    assert found["commit_batch_size_count{operation=create_together}"] == 2
    assert found["commit_batch_size_sum{operation=create_together}"] == 11


def test_processes_that_share_a_folder_answer_together() -> None:
    # A worker counts, an API process is asked: the answer holds the counts of both, also after
    # the worker died.
    with tempfile.TemporaryDirectory() as folder:
        script = textwrap.dedent("""
            import sys
            from pathlib import Path
            from bursar.runtime.telemetry import Telemetry
            telemetry = Telemetry(version="1", shared=Path(sys.argv[1]))
            telemetry.job(queue="payments", task="T", outcome="done", seconds=0.3)
            telemetry.replay()
            telemetry.usage(cpu_seconds=1, memory_bytes=1000, open_files=5)
            print(telemetry.exposition().decode())
        """)
        answers = [
            subprocess.run(
                [sys.executable, "-c", script, folder],
                env=child_environment({METRICS_FOLDER: folder}),
                capture_output=True,
                check=True,
                timeout=30,
            ).stdout
            for _ in range(2)
        ]
        assert len(list(Path(folder).iterdir())) > 2
    job = "queue_job_duration_seconds_count{outcome=done,queue=payments,task=T}"
    assert [read(answer)[job] for answer in answers] == [1, 2]
    assert [read(answer)["idempotent_replays_total{}"] for answer in answers] == [1, 2]
    assert read(answers[1])["build_info{version=1}"] == 1
    # What a process held went with it; what it counted stays.
    assert read(answers[1])["process_resident_memory_bytes{part=api}"] == 1000
    assert read(answers[1])["process_cpu_seconds_total{part=api}"] == 2
