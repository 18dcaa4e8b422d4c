"""Where payment providers report events: verified on the raw bytes, kept, answered at once.

The event and the task that acts on it are committed together before the 200, so an event that was
acknowledged cannot be lost; one already known is acknowledged again. Whatever is wrong with a
report is one 400 without a word of why, and the log keeps only a hash of it.
"""

import hashlib
from typing import Final

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse

from bursar.api.dispatch import Edge, Wire, body_of, response_of
from bursar.api.errors import answer_for
from bursar.api.headers import header
from bursar.api.trace import traced
from bursar.domain.access import System
from bursar.domain.orgs import Mode
from bursar.domain.provider import BadSignature
from bursar.domain.refusals import InvalidInput, NotFound
from bursar.operations.provider_events import ReceiveProviderEvent, receive_provider_event
from bursar.runtime.app import Caller
from bursar.runtime.clock import now
from bursar.runtime.idempotency import Answer
from bursar.runtime.logging import get_log

SIGNATURE_HEADER: Final = "Stripe-Signature"
SIGNATURE_MAX: Final = 2_048
HOOKS: Final = {"/webhooks/stripe": Mode.LIVE, "/webhooks/sandbox": Mode.SANDBOX}


def hooks(edge: Edge) -> list[HTTPRouteHandler]:
    """One route per provider."""
    return [_hook(edge, path, mode) for path, mode in HOOKS.items()]


def _hook(edge: Edge, path: str, mode: Mode) -> HTTPRouteHandler:
    async def receive(request: Wire) -> ASGIResponse:
        trace = traced(request.scope)
        trace.route = path
        try:
            answer = await _received(edge, mode, request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the provider gets an answer
            answer = answer_for(error, trace.request_id)
        return response_of(answer)

    return HTTPRouteHandler(path, http_method="POST", status_code=200, include_in_schema=False)(
        receive
    )


async def _received(edge: Edge, mode: Mode, request: Wire) -> Answer:
    provider = edge.app.providers.get(mode)
    if provider is None:
        raise NotFound("No such path.")
    body = await body_of(request.receive)
    signature = header(request.scope, SIGNATURE_HEADER) or ""
    try:
        event = provider.read_event(body, signature[: SIGNATURE_MAX + 1], now())
    except BadSignature:
        digest = hashlib.sha256(body).hexdigest()
        get_log().warning("provider_event.refused", provider=provider.name, body_sha256=digest)
        raise InvalidInput("The event cannot be verified.") from None
    caller = Caller(
        app=edge.app,
        org_id=None,
        actor=System(f"{provider.name}:{event.event_id}"),
        request_id=traced(request.scope).request_id,
    )
    await caller.run(receive_provider_event, ReceiveProviderEvent(provider.name, event, body))
    return Answer(200, msgspec.json.encode({"received": True}))
