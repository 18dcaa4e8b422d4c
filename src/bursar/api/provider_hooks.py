"""Where payment providers report events: verified on the raw bytes, kept, answered at once.

The event and the task that acts on it are committed together before the 200, so an event that was
acknowledged cannot be lost; one already known is acknowledged again. Whatever is wrong with a
report is one 400 without a word of why, and the log keeps only a hash of it.
"""

import hashlib
from typing import Final

from litestar.handlers import HTTPRouteHandler

from bursar.api.dispatch import Edge, Wire, body_of, plain_endpoint
from bursar.api.headers import header
from bursar.api.trace import traced
from bursar.domain.access import System
from bursar.domain.orgs import Mode
from bursar.domain.provider import BadSignature
from bursar.domain.refusals import InvalidInput, NotFound
from bursar.flows.receive_event import receive_event
from bursar.runtime import tracing
from bursar.runtime.app import Caller
from bursar.runtime.clock import now
from bursar.runtime.idempotency import Answer
from bursar.runtime.logging import get_log

SIGNATURE_HEADER: Final = "Stripe-Signature"
RECEIVED: Final = Answer(200, b'{"received":true}')
HOOKS: Final = {"/webhooks/stripe": Mode.LIVE, "/webhooks/sandbox": Mode.SANDBOX}


def hooks(edge: Edge) -> list[HTTPRouteHandler]:
    """One route per provider."""
    return [_hook(edge, path, mode) for path, mode in HOOKS.items()]


def _hook(edge: Edge, path: str, mode: Mode) -> HTTPRouteHandler:
    async def receive(request: Wire) -> Answer:
        with tracing.span("stripe.webhook", attributes={"bursar.mode": mode.value}):
            return await _received(edge, mode, request)

    return plain_endpoint("POST", path, receive)


async def _received(edge: Edge, mode: Mode, request: Wire) -> Answer:
    app, trace = edge.app, traced(request.scope)
    provider = app.providers.get(mode)
    if provider is None:
        raise NotFound("No such path.")
    body = await body_of(request)
    signature = header(request.scope, SIGNATURE_HEADER) or ""
    try:
        event = provider.read_event(body, signature, now())
    except BadSignature:
        digest = hashlib.sha256(body).hexdigest()
        get_log().warning("provider_event.refused", provider=provider.name, body_sha256=digest)
        # Only what is forged is counted: after an outage the provider itself may come in a rush.
        await edge.limits.admit_address(request.scope, trace, f"POST {trace.route}")
        raise InvalidInput("The event cannot be verified.") from None
    caller = Caller(
        app=app,
        org_id=None,
        actor=System(f"{provider.name}:{event.event_id}"),
        request_id=trace.request_id,
    )
    await receive_event(caller, provider, event)
    return RECEIVED
