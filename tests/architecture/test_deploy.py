"""What is deployed beside the code says what the code says: metrics, alerts, ports, probes."""

from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from tests.architecture.source import ROOT
from tests.support.prometheus import RULES, dashboards, expressions, metrics_of

from bursar.runtime.embedded_roles import _HELD_BY_OWNER, _ROLES, _database_statements
from bursar.runtime.metrics import METRICS, sample_names
from bursar.runtime.settings import FIELDS

VARIABLES = {variable.name for variable in FIELDS.values()}

ALERTS = {
    "PaymentDeadLetters": "critical",
    "PaymentFailureRate": "critical",
    "ApiLatency": "warning",
    "QueueProcessingStopped": "critical",
    "CircuitBreakerOpen": "critical",
    "ProviderAnswersHeld": "critical",
    "BillingHeld": "critical",
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


def test_the_alerts_are_there_each_with_its_runbook() -> None:
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


def test_compose_runs_the_full_stack() -> None:
    # Three API processes behind one proxy, workers, stores and watchers, on their ports.
    services = loaded("compose.yaml")["services"]
    assert services["api"]["deploy"]["replicas"] == 3
    assert services["worker"]["deploy"]["replicas"] >= 2
    ports = {name: service.get("ports") for name, service in services.items()}
    assert ports["proxy"] == ["3000:3000"]
    assert ports["prometheus"] == ["9090:9090"]
    assert ports["grafana"] == ["3001:3000"]
    assert ports["jaeger"] == ["16686:16686"]
    assert {"postgres", "redis", "migrate"} <= set(services)
    told = {*services["worker"]["environment"], *services["migrate"]["environment"]}
    assert told <= VARIABLES
    jobs = loaded("deploy/prometheus/prometheus.yml")["scrape_configs"]
    scraped = {
        job["dns_sd_configs"][0]["names"][0]: job["dns_sd_configs"][0]["port"] for job in jobs
    }
    assert scraped == {
        "api": 3000,
        "worker": int(services["worker"]["environment"]["METRICS_PORT"]),
    }


def test_the_roles_of_a_cluster_are_those_of_the_embedded_one() -> None:
    # Whoever brings their own PostgreSQL gets the same roles with the same rights.
    script = (ROOT / "deploy" / "postgres" / "roles.sh").read_text()
    for role, attributes in _ROLES.items():
        assert f"ALTER ROLE {role} {attributes}" in script
        assert f"'{role}'" in script
    held = ", ".join(_HELD_BY_OWNER)
    assert f"GRANT {held} TO bursar_owner WITH ADMIN OPTION;" in script
    for statement in _database_statements():
        assert statement.split(" ON DATABASE ")[0] in script


def manifests() -> list[dict[str, Any]]:
    folder = ROOT / "deploy" / "kubernetes"
    return [
        document
        for path in sorted(folder.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]


def templates() -> dict[str, dict[str, Any]]:
    """The pod of everything that runs one, by the name of what runs it."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]
        for each in manifests()
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}
    }


def test_manifests_hold_together() -> None:
    # Selectors find pods, probes ask ports and paths that there are, settings are settings.
    kinds = {each["kind"] for each in manifests()}
    assert {"PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy", "Job"} <= kinds
    pods = [template["metadata"]["labels"]["app"] for template in templates().values()]
    for each in manifests():
        spec = each.get("spec", {})
        selector = spec.get("selector") or {}
        label = selector.get("matchLabels", selector).get("app")
        assert label is None or label in pods, each["metadata"]["name"]
        assert each["metadata"].get("namespace", "bursar") == "bursar"
        if each["kind"] == "ConfigMap":
            assert set(each["data"]) <= VARIABLES
        if each["kind"] == "HorizontalPodAutoscaler":
            assert spec["scaleTargetRef"]["name"] in templates()
    paths = {"/health/live", "/health/ready"}
    for name in ("bursar-api", "bursar-worker"):
        (container,) = templates()[name]["spec"]["containers"]
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container[probe]["httpGet"]
            assert asked["path"] in paths
            assert asked["port"] in ports


def test_pods_have_no_rights_they_do_not_need() -> None:
    # No root, no new rights, nothing written outside of volumes, no token of the cluster.
    for name, template in templates().items():
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            rights = container["securityContext"]
            assert rights["allowPrivilegeEscalation"] is False
            assert rights["readOnlyRootFilesystem"] is True
            assert rights["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            owner = next(
                each
                for each in manifests()
                if each["metadata"]["name"] == name and "template" in each["spec"]
            )
            claims = owner["spec"].get("volumeClaimTemplates", [])
            known = {volume["name"] for volume in pod["volumes"]}
            assert mounted <= known | {claim["metadata"]["name"] for claim in claims}


def test_programs_that_are_started_are_programs() -> None:
    # Units, containers and the image name commands of `bursar`, and the image is not run as root.
    started = {"serve", "worker", "migrate"}
    for template in templates().values():
        assert template["spec"]["containers"][0]["args"][0] in started
    services = loaded("compose.yaml")["services"]
    assert {services[name]["command"][0] for name in ("api", "worker", "migrate")} == started
    units = [path.read_text() for path in (ROOT / "deploy" / "systemd").glob("*.service")]
    assert {text.split("bin/bursar ")[1].split()[0] for text in units} == started
    image = (ROOT / "Dockerfile").read_text()
    assert "USER 10001" in image
    assert image.count("\nFROM ") == 2
