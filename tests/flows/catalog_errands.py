"""Errands about plans, meters and usage, for the tour: each dies at each of its points."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Request
from tests.support.agreements import a_meter, a_plan, a_subscription, per_unit

from bursar.domain.ids import uuid_of
from bursar.flows.report_usage import EVENTS_SHARED_MAX

_numbers = count(1)
PLANS: Final = "/v1/plans"
KEPT: Final = "SELECT count(*) FROM usage_events WHERE idempotency_key = $1"
ADDED: Final = """
    SELECT count(*) FROM usage_days AS d WHERE d.subscription_id = $1
        AND (d.event_count, d.total) = ({}, {})
        AND (SELECT count(*) FROM usage_aggregates AS a WHERE a.subscription_id = $1) = 1
"""


def _plan() -> dict[str, Any]:
    return {
        "name": f"Tour {next(_numbers)}",
        "pricingModel": "flat_rate",
        "amountCents": 1999,
        "billingInterval": "month",
    }


async def _made(stage: Stage) -> str:
    made = await stage.client.post(PLANS, _plan())
    assert made.status == 201, made.body
    return str(made.value["id"])


async def _publish(stage: Stage) -> Request:
    body = _plan()
    counted = (
        "SELECT count(*) FROM plans AS p JOIN prices AS r ON r.plan_id = p.id WHERE p.name = $1"
    )
    return Request(stage.client, "POST", PLANS, body, counted, body["name"])


async def _reprice(stage: Stage) -> Request:
    plan_id = await _made(stage)
    counted = "SELECT count(*) FROM plan_versions WHERE plan_id = $1 AND number > 1"
    body = {"amountCents": 2499, "metadata": {"why": "tour"}}
    return Request(stage.client, "PATCH", f"{PLANS}/{plan_id}", body, counted, uuid_of(plan_id))


async def _archive(stage: Stage) -> Request:
    path = f"{PLANS}/{await _made(stage)}/archive"
    return Request(stage.client, "POST", path)


async def _define(stage: Stage) -> Request:
    key = f"tour_{next(_numbers)}"
    body = {"name": "Tour", "key": key, "aggregation": "sum"}
    counted = "SELECT count(*) FROM meters WHERE key = $1"
    return Request(stage.client, "POST", "/v1/meters", body, counted, key)


async def _report(stage: Stage) -> Request:
    subscription_id = await _subscription(stage)
    event = _event(subscription_id, 5)
    return Request(stage.client, "POST", "/v1/usage", event, KEPT, event["idempotencyKey"])


async def _report_many(stage: Stage) -> Request:
    subscription_id = await _subscription(stage)
    body = {"events": [_event(subscription_id, 5), _event(subscription_id, 7)]}
    counted, subject = ADDED.format(2, 12), uuid_of(subscription_id)
    return Request(stage.client, "POST", "/v1/usage/batch", body, counted, subject)


async def _report_very_many(stage: Stage) -> Request:
    """A batch too long to share its commit."""
    subscription_id, many = await _subscription(stage), EVENTS_SHARED_MAX + 1
    body = {"events": [_event(subscription_id, 1) for _ in range(many)]}
    counted, subject = ADDED.format(many, many), uuid_of(subscription_id)
    return Request(stage.client, "POST", "/v1/usage/batch", body, counted, subject)


async def _subscription(stage: Stage) -> str:
    meter = await a_meter(stage.org, thresholds=(10,))
    plan = await a_plan(stage.org, per_unit(meter, "1"))
    return (await a_subscription(stage.org, plan)).id


def _event(subscription_id: str, quantity: int) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(milliseconds=1)
    return {
        "subscriptionId": subscription_id,
        "idempotencyKey": f"tour-{next(_numbers)}",
        "quantity": quantity,
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


async def _offer(stage: Stage) -> Request:
    name = f"Tour {next(_numbers)}"
    body = {"name": name, "duration": "once", "percentOff": "20"}
    counted = "SELECT count(*) FROM coupons WHERE name = $1"
    return Request(stage.client, "POST", "/v1/coupons", body, counted, name)


async def _archive_coupon(stage: Stage) -> Request:
    offered = await _offer(stage)
    made = await stage.client.post(offered.path, offered.body)
    return Request(stage.client, "POST", f"/v1/coupons/{made.value['id']}/archive")


async def _tax(stage: Stage) -> Request:
    name = f"Tour {next(_numbers)}"
    counted = "SELECT count(*) FROM tax_rates WHERE name = $1"
    body = {"name": name, "percentage": "19"}
    return Request(stage.client, "POST", "/v1/tax-rates", body, counted, name)


async def _archive_tax(stage: Stage) -> Request:
    wanted = await _tax(stage)
    made = await stage.client.post(wanted.path, wanted.body)
    return Request(stage.client, "POST", f"/v1/tax-rates/{made.value['id']}/archive")


async def _take_back(stage: Stage) -> Request:
    customer = next(iter(stage.customers.values()))
    invoice = await stage.org.invoice(customer, 1_500)
    counted = "SELECT count(*) FROM credit_notes WHERE invoice_id = $1"
    body = {"invoiceId": invoice.id, "amountCents": 500}
    return Request(stage.client, "POST", "/v1/credit-notes", body, counted, uuid_of(invoice.id))


CATALOG_ERRANDS: Final[tuple[Arrange, ...]] = (
    *(_publish, _reprice, _archive, _define),
    *(_report, _report_many, _report_very_many, _offer, _archive_coupon, _tax, _archive_tax),
    _take_back,
)
