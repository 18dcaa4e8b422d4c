"""The line under the SDK, against real sockets: every fault is an unknown outcome, in time."""

import json
import time

import pytest
from tests.providers.hostile_server import (
    END,
    Endpoint,
    Mood,
    answering,
    cut_body,
    drip,
    dripping_head,
    endpoint,
    flood,
    flooding_head,
    reset,
    saying,
    silence,
)
from tests.providers.scripted import PAYMENT, a_charge, intent

from bursar.domain.provider import Succeeded, Unknown
from bursar.providers.stripe.client import StripeAccount, StripeProvider

PATIENCE = 1.5


def provider_at(server: Endpoint) -> StripeProvider:
    url = f"http://127.0.0.1:{server.port}/"
    return StripeProvider(StripeAccount("stripe", "sk_test_x", (), url, PATIENCE))


@pytest.mark.parametrize(
    "mood",
    [
        silence,
        drip,
        dripping_head,
        flood,
        flooding_head,
        reset,
        cut_body,
        saying(b""),
        saying(b"SSH-2.0-x\r\n"),
        answering("502 Bad Gateway", body=b"<html>"),
        answering(body=b"{}"),
        answering(body=b"null"),
    ],
)
async def test_every_fault_of_the_line_is_unknown(mood: Mood) -> None:
    # Within the deadline, without an exception, and sent exactly once.
    began = time.monotonic()
    async with endpoint(mood) as server:
        provider = provider_at(server)
        assert isinstance(await provider.charge(a_charge()), Unknown)
        await provider.aclose()
    assert time.monotonic() - began < PATIENCE + 10
    assert len(server.requests) == 1


async def test_a_redirect_is_not_followed() -> None:
    # The secret key goes to one address and to no other.
    async with endpoint(answering(body=json.dumps(intent()).encode())) as other:
        moved = answering("307 Moved", f"Location: {other.url}\r\n".encode(), b"{}")
        async with endpoint(moved) as server:
            provider = provider_at(server)
            assert isinstance(await provider.charge(a_charge()), Unknown)
            await provider.aclose()
    assert other.connections == 0


async def test_nobody_listens() -> None:
    # Nothing was sent, and still it is only unknown: the line cannot tell.
    async with endpoint(answering()) as server:
        pass
    provider = provider_at(server)
    assert await provider.charge(a_charge()) == Unknown("connection")
    await provider.aclose()


async def test_a_good_answer_over_a_real_line() -> None:
    # The key is in the header, our ids in the body, and the environment's proxy is not asked.
    async with endpoint(answering(body=json.dumps(intent()).encode())) as server:
        provider = provider_at(server)
        assert isinstance(await provider.charge(a_charge()), Succeeded)
        await provider.aclose()
    (request,) = server.requests
    head, _, body = request.partition(END)
    assert f"Idempotency-Key: {PAYMENT}:charge".encode() in head
    assert b"Authorization: Bearer sk_test_x" in head
    assert f"metadata[payment_id]={PAYMENT}".encode() in body
