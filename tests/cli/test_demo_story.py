"""The demo's own eyes and ears: what it rides over, what it does not believe, what it says."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from bursar.cli import demo_accounts, demo_payments
from bursar.cli.demo import Teller
from bursar.cli.demo_cast import Cast
from bursar.cli.demo_http import Api, Browser, Request, Unexpected, open_session
from bursar.cli.demo_receiver import Delivery, Receiver, receiver, verify
from bursar.cli.demo_story import Step, tell_step
from bursar.domain.frozen import replace
from bursar.runtime.clock import now

SUCCEEDED = {"status": "succeeded", "amountCents": 5_900}
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


@dataclass
class Shop:
    """A server that answers from a list, `None` being a cut connection, and keeps what it heard."""

    answers: list[tuple[int, Any] | None]
    url: str = ""
    heard: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append((request.method, request.path, headers, await request.read()))
        planned = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if planned is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        status, value = planned
        return web.json_response(value, status=status)

    @property
    def keys(self) -> set[str]:
        return {headers.get("idempotency-key", "") for _, _, headers, _ in self.heard}


@asynccontextmanager
async def shop(*answers: tuple[int, Any] | None) -> AsyncIterator[Shop]:
    opened = Shop(list(answers))
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", opened.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        opened.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield opened
    finally:
        await runner.cleanup()


@asynccontextmanager
async def caller(opened: Shop, patience_seconds: float = 10) -> AsyncIterator[Api]:
    async with open_session() as session:
        yield Api(Browser(session, patience_seconds=patience_seconds), opened.url, {})


def in_progress() -> tuple[int, Any]:
    return 409, {"error": {"code": "IDEMPOTENCY_IN_PROGRESS"}}


def signed(body: bytes) -> Delivery:
    moment = now()
    tag = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("evt_1", moment, body.decode()),
        "x-webhook-signature": f"sha256={tag}",
    }
    return Delivery(headers, body)


async def test_a_change_is_sent_again_under_the_same_key_until_it_is_answered() -> None:
    # A cut connection, a restart and a first request that still runs are no answers.
    made = (201, {"data": {"id": "inv_1"}})
    async with shop(None, (503, {}), in_progress(), made) as opened, caller(opened) as api:
        heard = await api.post("/v1/invoices", {"lines": []})
    assert (heard.status, heard.value, heard.tries) == (201, {"id": "inv_1"}, 4)
    assert len(opened.keys) == 1
    assert "" not in opened.keys
    assert {body for *_, body in opened.heard} == {b'{"lines":[]}'}


async def test_two_changes_have_two_keys() -> None:
    # Or the second would be taken for the first.
    async with shop((201, {"data": {}})) as opened, caller(opened) as api:
        await api.post("/v1/invoices", {})
        await api.patch("/v1/invoices/inv_1", {})
    assert len(opened.keys) == 2


@pytest.mark.parametrize("status", [400, 402, 404, 409, 500])
async def test_a_refusal_is_an_answer(status: int) -> None:
    # What the server decided is not asked again, or a fault would hide behind a retry.
    refused = (status, {"error": {"code": "CONFLICT"}})
    async with shop(refused) as opened, caller(opened) as api:
        heard = await api.post("/v1/invoices", {})
    assert (heard.status, len(opened.heard)) == (status, 1)
    with pytest.raises(Unexpected, match=f"expected 201, came {status} .*CONFLICT"):
        heard.expect(201)


async def test_patience_ends() -> None:
    # A server that stays away is reported with the last thing it said.
    async with shop((503, {"away": True})) as opened, caller(opened, 0.5) as api:
        with pytest.raises(Unexpected, match=r"an answer to GET .*/v1/x, came 503 .*away"):
            await api.get("/v1/x")
    assert len(opened.heard) > 1


async def test_the_fifty_take_in_progress_for_an_answer() -> None:
    # They are sent to find out what each of them is told.
    async with shop(in_progress()) as opened, caller(opened) as api:
        heard = await api.post_once("/v1/invoices/inv_1/pay", {}, key="once")
    assert heard.is_in_progress
    assert opened.keys == {"once"}


async def test_who_lost_the_answer_to_a_sign_up_signs_in() -> None:
    # The first try was carried out before the connection was cut; the address is taken by us.
    taken = (409, {"error": {"code": "CONFLICT"}})
    tokens = (200, {"data": {"accessToken": "t"}})
    me = (200, {"data": {"memberships": [{"organizationId": "org_1"}]}})
    async with shop(None, taken, tokens, me) as opened, caller(opened) as api:
        cast = cast_of(api)
        await demo_accounts.sign_up(cast)
    assert cast.org_id == "org_1"
    assert [path for _, path, _, _ in opened.heard] == [
        "/v1/auth/register",
        "/v1/auth/register",
        "/v1/auth/login",
        "/v1/auth/me",
    ]


async def test_an_address_that_is_taken_at_once_is_somebody_elses() -> None:
    # Without a lost answer there is nothing to make up for.
    taken = (409, {"error": {"code": "CONFLICT"}})
    async with shop(taken) as opened, caller(opened) as api:
        with pytest.raises(Unexpected, match="expected 201, came 409"):
            await demo_accounts.sign_up(cast_of(api))


async def test_a_new_card_is_not_charged_by_the_demo_as_well() -> None:
    # Dunning tries it as soon as it is there; whoever asks too may be told that nothing is due.
    invoice = {"id": "inv_1", "totalCents": 5_900, "amountPaidCents": 0, "amountDueCents": 0}
    answers: list[tuple[int, Any]] = [
        (201, {"data": {"id": "pm_1"}}),
        (201, {"data": invoice}),
        (200, {"data": invoice}),
        (402, {"error": {"code": "PAYMENT_DECLINED", "declineCode": "generic_decline"}}),
        (200, {"data": {**invoice, "status": "open"}}),
        (201, {"data": {"id": "pm_2"}}),
        (200, {"data": {**invoice, "status": "open"}}),
        (200, {"data": {**invoice, "status": "paid"}}),
        (200, {"data": [{"id": "p1", "status": "failed"}, {"id": "p2", **SUCCEEDED}]}),
    ]
    async with shop(*answers) as opened, caller(opened) as api:
        cast = cast_of(api)
        cast.program, cast.customer_id = api, "cust_1"
        told = await demo_payments.survive_decline(cast)
    assert told == "402 generic_decline; then p2 succeeded with another card"
    assert [path for _, path, _, _ in opened.heard].count("/v1/invoices/inv_1/pay") == 1


def cast_of(api: Api) -> Cast:
    return Cast(api._browser, api, Receiver(), patience_seconds=1)


async def test_a_delivery_is_kept_and_found() -> None:
    # What is waited for may have come before, or may come later, among other things.
    body = json.dumps({"type": "invoice.paid", "data": {"id": "inv_1"}}).encode()
    other = json.dumps({"type": "invoice.paid", "data": {"id": "inv_2"}}).encode()
    async with receiver() as listening, open_session() as session:
        browser = Browser(session)
        waiting = asyncio.create_task(
            listening.wait_for("invoice.paid", resource_id="inv_1", seconds=10)
        )
        for each in (other, body):
            await browser.send(Request("POST", listening.url, {"x-a": "b"}, each))
        assert (await waiting).body == body
        with pytest.raises(Unexpected, match=r"invoice.void of inv_1 .*, came invoice.paid"):
            await listening.wait_for("invoice.void", resource_id="inv_1", seconds=0.1)


def test_both_signatures_must_hold() -> None:
    # A wrong secret, a changed body, one signature without the other: none of it is believed.
    good = signed(b'{"id":"evt_1"}')
    verify(good, SECRET)
    wrong = "whsec_" + base64.b64encode(b"another-secret-of-24-byte").decode()
    without = {k: v for k, v in good.headers.items() if k != "x-webhook-signature"}
    plain_only = {**good.headers, "webhook-signature": "v1,AAAA"}
    for delivery, secret in (
        (good, wrong),
        (replace(good, body=b'{"id":"evt_2"}'), SECRET),
        (replace(good, headers=without), SECRET),
        (replace(good, headers=plain_only), SECRET),
    ):
        with pytest.raises(Unexpected, match="expected a good"):
            verify(delivery, secret)


async def test_a_step_that_goes_wrong_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    # What was expected and what came; an answer without its field is no bug of the demo.
    async def lacking() -> str:
        found: dict[str, str] = {}
        return found["checkoutUrl"]

    async def wrong() -> str:
        raise Unexpected("a paid invoice", came="open")

    teller = Teller(is_quiet=False)
    assert not await tell_step("pay by card", lacking, teller.tell)
    assert not await tell_step("webhook", wrong, teller.tell)
    details = [step.detail for step in teller.steps]
    assert details == [
        "expected an answer as documented, came KeyError: 'checkoutUrl'",
        "expected a paid invoice, came open",
    ]
    assert not teller.report().ok
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("✗  9  pay by card       expected an answer as documented")
    assert second.startswith("✗ 10  webhook           expected a paid invoice, came open")


def test_nothing_told_is_not_a_good_story() -> None:
    # Only steps that all went well make a good report; a program reads no other word.
    teller = Teller(is_quiet=True)
    assert not teller.report().ok
    teller.tell(Step("sign up", ok=True, detail="x", seconds=0.1))
    assert teller.report().ok
    teller.tell(Step("PDF", ok=False, detail="y", seconds=0.1))
    assert not teller.report().ok
