"""Delivers one event to one endpoint: begin, send, settle."""

import asyncio
from uuid import UUID

from bursar.domain.ids import DeliveryId
from bursar.operations.deliveries import (
    BeginDelivery,
    SettleDelivery,
    begin_delivery,
    settle_delivery,
)
from bursar.runtime import tracing
from bursar.runtime.app import Caller


async def deliver_webhook(
    caller: Caller, delivery_id: DeliveryId, lease: UUID, gate: asyncio.Semaphore
) -> None:
    """One attempt; duplicates can only happen when the record of it is lost, with the same id.

    The gate bounds how many ask the database at once, however many are on the wire.
    """
    async with gate:
        request = await caller.run(begin_delivery, BeginDelivery(delivery_id, lease))
    if request is None:
        return
    with tracing.delivery(
        caller.app.tracer, name="webhook.deliver", request_id=request.caused_by
    ) as told:
        answer = await caller.app.sender.send(request.with_headers(tracing.carrier()))
        if told is not None:
            told.set_attribute("bursar.verdict", answer.verdict.value)
    caller.app.telemetry.webhook_attempted(
        status=answer.verdict.value, seconds=answer.duration_ms / 1000
    )
    async with gate:
        await caller.run(settle_delivery, SettleDelivery(delivery_id, lease, answer))
