"""Errands about payment methods: each dies at each of its points, and is done once."""

from typing import Final

from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Request

from bursar.domain.ids import uuid_of

PATH: Final = "/v1/payment-methods"
GONE: Final = "SELECT count(*) FROM payment_methods WHERE id = $1 AND detached_at IS NOT NULL"
KEPT: Final = "SELECT count(*) FROM payment_methods WHERE customer_id = $1"
CHOSEN: Final = "SELECT count(*) FROM customers WHERE method_id = $1"


async def _stored(stage: Stage, *, is_default: bool) -> str:
    customer = next(iter(stage.customers.values()))
    body = {"customerId": customer.id, "providerToken": "pm_card_visa", "default": is_default}
    made = await stage.client.post(PATH, body)
    assert made.status == 201, made.body
    return str(made.value["id"])


async def _choose(stage: Stage) -> Request:
    method = await _stored(stage, is_default=False)
    path = f"{PATH}/{method}/set-default"
    return Request(stage.client, "POST", path, {}, CHOSEN, uuid_of(method))


async def _detach(stage: Stage) -> Request:
    method = await _stored(stage, is_default=False)
    path = f"{PATH}/{method}"
    return Request(stage.client, "DELETE", path, None, GONE, uuid_of(method))


async def _attach(stage: Stage) -> Request:
    """Whose answer is lost attaches it again, and it is one method in the end."""
    customer = await stage.org.customer(None)
    body = {"customerId": customer.id, "providerToken": "pm_card_visa"}
    return Request(stage.client, "POST", PATH, body, KEPT, uuid_of(customer.id))


async def _set_up(stage: Stage) -> Request:
    """Proven without its holder; dying at each point, it is one method in the end."""
    customer = await stage.org.customer(None)
    body = {"customerId": customer.id, "providerToken": "pm_card_visa"}
    return Request(stage.client, "POST", f"{PATH}/set-up", body, KEPT, uuid_of(customer.id))


METHOD_ERRANDS: Final[tuple[Arrange, ...]] = (_choose, _detach, _attach, _set_up)
