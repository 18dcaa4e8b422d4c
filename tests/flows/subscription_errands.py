"""Errands about subscriptions, for the tour: each dies at each of its points."""

from decimal import Decimal
from typing import Any, Final

from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Request
from tests.support.agreements import a_plan

from bursar.domain.catalog import Plan
from bursar.domain.ids import uuid_of
from bursar.domain.pricing import PriceTerms, PricingModel

PATH: Final = "/v1/subscriptions"
# A step whose lines are all there, once: by kind, and how many.
LEFT: Final = """
    SELECT count(*) FROM subscriptions AS s WHERE s.id = $1
        AND (SELECT count(*) FROM pending_lines AS l WHERE l.subscription_id = s.id) = {lines}
        AND EXISTS (SELECT 1 FROM agenda AS a WHERE a.subject_id = s.id)
"""


async def _plan(stage: Stage, cents: int = 100_000_000) -> Plan:
    return await a_plan(stage.org, PriceTerms(PricingModel.PER_UNIT, Decimal(cents)))


async def _body(stage: Stage) -> dict[str, Any]:
    customer = await stage.org.customer(token=None)
    return {"customerId": customer.id, "planId": (await _plan(stage)).id}


async def _made(stage: Stage) -> str:
    made = await stage.client.post(PATH, await _body(stage))
    assert made.status == 201, made.body
    return str(made.value["id"])


def _step(stage: Stage, subscription_id: str, verb: str, body: object, lines: int) -> Request:
    path, counted = f"{PATH}/{subscription_id}/{verb}", LEFT.format(lines=lines)
    return Request(stage.client, "POST", path, body, counted, uuid_of(subscription_id))


async def _subscribe(stage: Stage) -> Request:
    body = await _body(stage)
    counted = (
        "SELECT count(*) FROM subscriptions AS s JOIN pending_lines AS l"
        " ON l.subscription_id = s.id WHERE s.customer_id = $1"
    )
    return Request(stage.client, "POST", PATH, body, counted, uuid_of(body["customerId"]))


async def _more(stage: Stage) -> Request:
    made = await _made(stage)
    counted, subject = LEFT.format(lines=3), uuid_of(made)
    body = {"quantity": 2, "metadata": {"why": "tour"}}
    return Request(stage.client, "PATCH", f"{PATH}/{made}", body, counted, subject)


async def _change_plan(stage: Stage) -> Request:
    made, other = await _made(stage), await _plan(stage, 200_000_000)
    return _step(stage, made, "change-plan", {"planId": other.id}, 3)


async def _pause(stage: Stage) -> Request:
    return _step(stage, await _made(stage), "pause", None, 2)


async def _resume(stage: Stage) -> Request:
    made = await _made(stage)
    await stage.client.post(f"{PATH}/{made}/pause")
    return _step(stage, made, "resume", None, 3)


async def _cancel(stage: Stage) -> Request:
    body = {"atPeriodEnd": False, "creditUnusedTime": True}
    made = await _made(stage)
    counted = "SELECT count(*) FROM pending_lines WHERE subscription_id = $1 AND amount_minor < 0"
    return Request(stage.client, "POST", f"{PATH}/{made}/cancel", body, counted, uuid_of(made))


async def _reactivate(stage: Stage) -> Request:
    made = await _made(stage)
    body = {"atPeriodEnd": False, "creditUnusedTime": True}
    await stage.client.post(f"{PATH}/{made}/cancel", body)
    return _step(stage, made, "reactivate", None, 3)


SUBSCRIPTION_ERRANDS: Final[tuple[Arrange, ...]] = (
    *(_subscribe, _more, _change_plan),
    *(_pause, _resume, _cancel, _reactivate),
)
