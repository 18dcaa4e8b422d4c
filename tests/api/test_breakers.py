"""The payment provider is away: money requests are told so at once, until it is back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import perf_counter

import pytest
from tests.api.client import Client, Response
from tests.support.database import Installation
from tests.support.sandbox import control
from tests.support.world import Org, World

from bursar.api.asgi import build_api
from bursar.domain.access import Permission
from bursar.domain.frozen import replace
from bursar.domain.orgs import Mode
from bursar.domain.refusals import Unavailable
from bursar.flows.pay_invoice import refuse_if_away
from bursar.main import Strangers, build
from bursar.providers.guard import PAYMENT_PROVIDER, CircuitBreaker, GuardedProvider
from bursar.runtime.app import App, Caller


@dataclass
class House:
    """A process whose line to the provider is guarded, and a clock that is moved by hand."""

    app: App
    world: World
    client: Client
    calls: list[str]
    states: list[str]
    now: float = 1_000.0

    async def pay(self, org: Org) -> Response:
        invoice = await org.invoice(await org.customer())
        owner = self.client.bearing(org.access_token, org.id)
        return await owner.post(f"/v1/invoices/{invoice.id}/pay", {"mode": "charge"})

    def cut(self) -> None:
        line = {"kind": "drop_before", "path": "/v1/payment_intents", "times": 500}
        control(self.world.sandbox, "POST", "faults", **line)

    def mend(self) -> None:
        control(self.world.sandbox, "DELETE", "faults")


@pytest.fixture
async def guarded(world: World, house: Installation) -> AsyncIterator[House]:
    """The API of a process that is careful."""
    calls: list[str] = []
    states: list[str] = []
    place: list[House] = []
    breaker = CircuitBreaker(
        PAYMENT_PROVIDER,
        lambda: place[0].now if place else 0.0,
        lambda state: states.append(state.value),
    )
    provider = GuardedProvider(
        world.provider, breaker, on_call=lambda call, _kind, _took: calls.append(call)
    )
    strangers = Strangers({Mode.SANDBOX: provider}, world.postman, world.mailbox)
    opened = build(house.settings, part="guarded", app_url=house.app_url, strangers=strangers)
    async with opened as app:
        place.append(House(app, world, Client(build_api(app)), calls, states))
        yield place[0]


async def test_five_failures_then_nothing_is_asked_and_two_successes_later_all_is_well(
    guarded: House, org: Org
) -> None:
    # Unknown five times; then 503 with the time to come back, and no call; after the cooldown a
    # trial each, and the second that succeeds closes it.
    guarded.cut()
    for _ in range(5):
        assert (await guarded.pay(org)).status == 202
    asked = len(guarded.calls)
    away = await guarded.pay(org)
    assert (away.status, away.headers["retry-after"]) == (503, "30"), away.body
    assert len(guarded.calls) == asked
    guarded.mend()
    guarded.now += 29.9
    assert (await guarded.pay(org)).status == 503
    guarded.now += 0.2
    assert [(await guarded.pay(org)).status for _ in range(2)] == [200, 200]
    assert guarded.states == ["closed", "open", "half_open", "closed"]


async def test_a_request_that_is_turned_away_takes_no_time(guarded: House, org: Org) -> None:
    # Less than 5 ms, whatever the provider is doing.
    guarded.cut()
    for _ in range(5):
        await guarded.pay(org)
    caller = Caller(app=guarded.app, org_id=org.id, actor=org.caller.actor, request_id="r")
    took = []
    for _ in range(200):
        began = perf_counter()
        with pytest.raises(Unavailable):
            await refuse_if_away(caller, Permission.INVOICE_PAY)
        took.append(perf_counter() - began)
    guarded.mend()
    assert sorted(took)[len(took) // 2] < 0.005


@pytest.mark.parametrize(("shut", "status"), [(Mode.LIVE, 200), (Mode.SANDBOX, 503)])
async def test_only_the_line_of_the_organization_counts(
    guarded: House, org: Org, shut: Mode, status: int
) -> None:
    # One line is down and the other is not: who pays over the other one notices nothing of it.
    lines = {
        mode: CircuitBreaker(PAYMENT_PROVIDER, lambda: 0.0) for mode in (Mode.SANDBOX, Mode.LIVE)
    }
    lines[shut].hold(17)
    providers = {
        mode: GuardedProvider(guarded.world.provider, line) for mode, line in lines.items()
    }
    client = Client(build_api(replace(guarded.app, providers=providers)))
    invoice = await org.invoice(await org.customer())
    owner = client.bearing(org.access_token, org.id)
    answer = await owner.post(f"/v1/invoices/{invoice.id}/pay", {"mode": "charge"})
    assert answer.status == status, answer.body
