"""What is deployed beside the code says what the code says: metrics, alerts, ports, probes."""

from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from tests.architecture.source import ROOT
from tests.support.prometheus import RULES, dashboards, expressions, metrics_of

from bursar.runtime.metrics import METRICS, sample_names

ALERTS = {
    "PaymentDeadLetters": "critical",
    "PaymentFailureRate": "critical",
    "ApiLatency": "warning",
    "QueueProcessingStopped": "critical",
    "CircuitBreakerOpen": "critical",
}
BOARDS = {
    "API Health": ("Request rate", "Error rate", "Latency", "Slowest endpoints"),
    "Queue Health": ("Job throughput", "Failure rate", "Queue depth", "Processing time"),
    "Business Metrics": (
        "Invoices created",
        "Payment success and failure rate",
        "Circuit breaker states",
    ),
    "Infrastructure": ("Heap memory", "Event loop lag", "CPU", "Active handles"),
}


def loaded(path: str | Path) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def rules() -> list[dict[str, Any]]:
    (group,) = loaded(RULES)["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def test_dashboards_and_alerts_use_metrics_that_there_are() -> None:
    # A renamed metric leaves no panel empty and no alert silent.
    known = {name for metric in METRICS for name in sample_names(metric)}
    for expression in (*expressions(), *(rule["expr"] for rule in rules())):
        assert metrics_of(expression) <= known, expression
        assert metrics_of(expression), expression


def test_the_four_dashboards_are_there() -> None:
    # Each with the panels it is known for, ids of its own and no panel without a question.
    found = dashboards()
    assert set(found) == set(BOARDS)
    for title, panels in BOARDS.items():
        shown = [panel["title"] for panel in found[title]["panels"]]
        assert set(panels) <= set(shown)
        ids = [panel["id"] for panel in found[title]["panels"]]
        assert len(ids) == len(set(ids))
        assert all(panel["targets"] for panel in found[title]["panels"])


def test_the_five_alerts_are_there_each_with_its_runbook() -> None:
    # Name, severity, and a page that says what to do when it rings at night.
    assert {rule["alert"]: rule["labels"]["severity"] for rule in rules()} == ALERTS
    for rule in rules():
        page = (ROOT / rule["annotations"]["runbook"]).read_text()
        assert page.startswith("# "), rule
        assert f"`{rule['alert']}`" in page, rule
        for heading in ("## What it means", "## What to look at", "## What to do", "## After"):
            assert heading in page, (rule["alert"], heading)


def test_grafana_is_given_the_same_rules() -> None:
    # Two lists of alerts that differ would be one too many.
    (group,) = loaded("deploy/grafana/provisioning/alerting/bursar.yml")["groups"]
    given = {
        rule["title"]: (
            rule["labels"]["severity"],
            rule["for"],
            "".join(rule["data"][0]["model"]["expr"].split()),
        )
        for rule in group["rules"]
    }
    wanted = {
        rule["alert"]: (
            rule["labels"]["severity"],
            rule.get("for", "0s"),
            "".join(rule["expr"].split()),
        )
        for rule in rules()
    }
    assert given == wanted
    uids = [rule["uid"] for rule in group["rules"]]
    assert len(uids) == len(set(uids))


def test_dashboards_are_provisioned_where_grafana_looks() -> None:
    # The folder that the provider names is the one that compose mounts, read from our datasource.
    (provider,) = loaded("deploy/grafana/provisioning/dashboards/bursar.yml")["providers"]
    mounts = loaded("compose.yaml")["services"]["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in mounts
    sources = loaded("deploy/grafana/provisioning/datasources/prometheus.yml")["datasources"]
    known = {source["uid"] for source in sources}
    panels = chain.from_iterable(board["panels"] for board in dashboards().values())
    assert {panel["datasource"]["uid"] for panel in panels} <= known
