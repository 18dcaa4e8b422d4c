"""What the documentation gives to receivers agrees with what is really sent."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.support.kit import vectors, verification
from tests.support.world import World

from bursar.operations.webhook_subscriptions import SubscribeWebhook, subscribe_webhook

VECTORS = vectors()


def is_ours() -> Callable[[str, dict[str, str], bytes], bool]:
    names: dict[str, Any] = {}
    exec(verification("python"), names)
    found: Callable[[str, dict[str, str], bytes], bool] = names["is_ours"]
    return found


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each["name"])
def test_the_helper_agrees_with_the_vectors(vector: dict[str, Any]) -> None:
    # Genuine ones pass, each forgery does not.
    verdict = is_ours()(vector["secret"], vector["headers"], vector["body"].encode())
    assert verdict is vector["isGenuine"]


def test_the_vectors_are_of_both_kinds() -> None:
    # A verifier that always says the same is found out.
    assert {vector["isGenuine"] for vector in VECTORS} == {True, False}


async def test_the_helper_takes_a_real_delivery(world: World) -> None:
    # And refuses it when a byte of the body is another.
    org = await world.org()
    command = SubscribeWebhook(f"https://kit.example/{org.id}", ("wallet.created",))
    hook = await org.caller.run(subscribe_webhook, command)
    await org.wallet()
    await world.drain()
    (sent,) = [one for one in world.postman.sent if one.url == hook.subscription.url]
    assert is_ours()(hook.secret, dict(sent.headers), sent.body)
    assert not is_ours()(hook.secret, dict(sent.headers), sent.body + b" ")
