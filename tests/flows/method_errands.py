"""Errands about payment methods: each dies at each of its points, and is done once."""

from datetime import timedelta
from typing import Final

from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Request
from tests.support.sandbox import browse

from bursar.domain.customers import Customer
from bursar.domain.ids import uuid_of
from bursar.domain.tasks import ConfirmSetups

PATH: Final = "/v1/payment-methods"
GONE: Final = "SELECT count(*) FROM payment_methods WHERE id = $1 AND detached_at IS NOT NULL"
KEPT: Final = "SELECT count(*) FROM payment_methods WHERE customer_id = $1"
WATCHED: Final = "SELECT count(*) FROM agenda WHERE kind = 'watch_setup' AND subject_id = $1"
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


async def _asking(stage: Stage) -> tuple[Customer, str]:
    """Somebody who has to prove their card, and where."""
    customer = await stage.org.customer(None)
    body = {"customerId": customer.id, "providerToken": "pm_card_authenticationRequiredOnSetup"}
    wait = await stage.client.post(f"{PATH}/set-up", body)
    assert wait.status == 202, wait.body
    return customer, str(wait.value["nextActionUrl"])


async def _watched(stage: Stage, customer: Customer, counted: str) -> Request:
    app = stage.world.app
    async with app.database.machine() as connection:
        task = ConfirmSetups(customer.id)
        await app.queue.enqueue(connection, stage.org.id, (task,), timedelta(0))
    return Request(stage.client, "GET", "/v1/meters", None, counted, uuid_of(customer.id))


async def _proven_in_silence(stage: Stage) -> Request:
    """No event comes, and the watch that finds it dies at its points."""
    customer, url = await _asking(stage)
    browse(stage.world.sandbox, "POST", url, outcome="complete")
    stage.world.sandbox.take_deliveries()
    return await _watched(stage, customer, KEPT)


async def _not_proven_yet(stage: Stage) -> Request:
    """The watch goes on, wherever it dies."""
    customer, _ = await _asking(stage)
    return await _watched(stage, customer, WATCHED)


METHOD_ERRANDS: Final[tuple[Arrange, ...]] = (
    *(_choose, _detach, _attach, _set_up),
    *(_proven_in_silence, _not_proven_yet),
)
