"""Faults on demand, by header and by rule."""

from typing import Any

import msgspec
import pytest
import stripe
from tests.sandbox.test_sandbox_keys import FIELDS, KEYED
from tests.sandbox.worlds import World
from tests.support.sandbox import InProcessClient, control


async def _charge(world: World, fault: str = "") -> stripe.PaymentIntent:
    world.wire.extra_headers = {"Sandbox-Fault": fault} if fault else {}
    try:
        return await world.v1.payment_intents.create_async(FIELDS, KEYED)
    finally:
        world.wire.extra_headers = {}


async def _charges(world: World) -> int:
    return len((await world.v1.charges.list_async()).data)


@pytest.mark.parametrize(
    ("fault", "error", "charges"),
    [
        ("drop_before", stripe.APIConnectionError, 0),
        ("drop_after", stripe.APIConnectionError, 1),
        ("error_before=500", stripe.APIError, 0),
        ("error_after=502", stripe.APIError, 1),
        ("rate_limit", stripe.RateLimitError, 0),
        ("conflict", stripe.APIError, 0),
        ("delay=20001", stripe.APIConnectionError, 1),
    ],
)
async def test_a_fault_strikes_before_or_after_the_effect(
    fault: str, error: type[Exception], charges: int
) -> None:
    # What the caller sees is the same; only the books know whether money moved. A retry with the
    # same key ends in exactly one charge either way.
    world = World()
    with pytest.raises(error):
        await _charge(world, fault)
    assert await _charges(world) == charges
    assert (await _charge(world)).status == "succeeded"
    assert await _charges(world) == 1


async def test_a_500_after_the_effect_is_kept_under_the_key() -> None:
    # Resending cannot find out what a 500 hid; the list of intents can.
    world = World()
    for fault in ("error_after=500", ""):
        with pytest.raises(stripe.APIError):
            await _charge(world, fault)
    listed = await world.v1.payment_intents.list_async()
    assert [intent.status for intent in listed.data] == ["succeeded"]


async def test_a_limit_says_when_to_come_back() -> None:
    # A 429 carries Retry-After in seconds.
    world = World()
    with pytest.raises(stripe.RateLimitError) as caught:
        await _charge(world, "rate_limit")
    assert caught.value.headers is not None
    assert caught.value.headers["Retry-After"] == "1"


async def test_a_delay_is_the_carriers_to_perform() -> None:
    # The core never sleeps: the delay is told to whoever carries the answer.
    world = World()
    waited: list[int] = []

    async def wait(delay_ms: int) -> None:
        waited.append(delay_ms)

    slow = InProcessClient(world.sandbox, on_delay=wait)
    slow.extra_headers = {"Sandbox-Fault": "delay=750"}
    await slow.request_async("GET", "http://sandbox.test/v1/balance", _bearer(world))
    assert waited == [750]


def _bearer(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.sandbox.settings.secret_key}"}


async def test_a_rule_strikes_its_times_and_only_its_route() -> None:
    # A rule with two times strikes twice on matching requests and never again.
    world = World()
    control(
        world.sandbox,
        "POST",
        "faults",
        kind="drop_before",
        method="POST",
        path="/v1/payment_intents*",
        times=2,
    )
    await world.customer()
    for _ in range(2):
        with pytest.raises(stripe.APIConnectionError):
            await _charge(world)
    assert (await _charge(world)).status == "succeeded"


async def test_a_rule_with_a_probability_repeats_by_its_seed() -> None:
    # Two worlds of one seed lose exactly the same requests; about the wanted share of them.
    runs: list[list[bool]] = []
    for _ in range(2):
        world = World()
        control(world.sandbox, "POST", "faults", kind="drop_before", probability="0.3")
        lost: list[bool] = []
        for _ in range(100):
            try:
                await world.v1.balance.retrieve_async()
            except stripe.APIConnectionError:
                lost.append(True)
            else:
                lost.append(False)
        runs.append(lost)
    assert runs[0] == runs[1]
    assert 15 <= sum(runs[0]) <= 45


async def test_an_answer_can_be_somebody_elses() -> None:
    # A swapped answer carries another intent's id and amount; the real one is booked all the same.
    world = World()
    other = await world.pay(amount=5000)
    answered = await _charge(world, "swap")
    assert (answered.id, answered.amount) == (other.id, 5000)
    assert (await _charge(world)).amount == 1999
    assert await _charges(world) == 2


async def test_rules_can_be_cleared() -> None:
    # After DELETE nothing goes wrong any more.
    world = World()
    control(world.sandbox, "POST", "faults", kind="rate_limit")
    control(world.sandbox, "DELETE", "faults")
    assert (await _charge(world)).status == "succeeded"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "kind"),
        ({"kind": "explode"}, "kind"),
        ({"kind": "delay", "times": 0}, "times"),
        ({"kind": "delay", "probability": "2"}, "probability"),
        ({"kind": "delay", "probability": "nan"}, "probability"),
        ({"kind": "delay", "value": 10**7}, "value"),
        ({"kind": "error_after", "value": 418}, "value"),
        ({"kind": "delay", "extra": 1}, "extra"),
    ],
)
def test_a_bad_rule_is_refused(fields: dict[str, Any], param: str) -> None:
    # A rule that means nothing is refused by name and leaves no rule behind.
    world = World()
    answer = control(world.sandbox, "POST", "faults", **fields)
    assert answer.status == 400
    assert msgspec.json.decode(answer.body)["error"]["param"] == param
    rules = msgspec.json.decode(control(world.sandbox, "GET", "faults").body)
    assert rules == {"data": []}


async def test_a_bad_fault_header_is_refused() -> None:
    # A misspelt fault must not pass for a success.
    world = World()
    with pytest.raises(stripe.InvalidRequestError, match="Unknown fault"):
        await _charge(world, "drop_sideways")
    assert await _charges(world) == 0
