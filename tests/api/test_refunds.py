"""Refunds over HTTP: what is answered, what is refused, and who may."""

from tests.api.client import Client
from tests.api.people import key_client
from tests.support.sandbox import control
from tests.support.world import Org, World

from bursar.domain.payments import Payment


async def a_payment(org: Org, token: str = "pm_card_visa", cents: int = 5_000) -> Payment:
    return await org.pay((await org.invoice(await org.customer(token), cents)).id)


async def test_a_refund_is_made_and_found(owner: Client, org: Org) -> None:
    # 201 with where it is; the payment tells how much of it went back.
    paid = await a_payment(org)
    body = {"amountCents": 1_200, "reason": "requested_by_customer"}
    made = await owner.post(f"/v1/payments/{paid.id}/partial-refund", body)
    assert (made.status, made.value["status"], made.value["amountCents"]) == (
        201,
        "succeeded",
        1_200,
    )
    assert made.headers["location"] == f"/v1/refunds/{made.value['id']}"
    assert (await owner.get(f"/v1/refunds/{made.value['id']}")).value == made.value
    listed = await owner.get(f"/v1/refunds?paymentId={paid.id}&status=succeeded")
    assert [each["id"] for each in listed.value] == [made.value["id"]]
    seen = (await owner.get(f"/v1/payments/{paid.id}")).value
    assert (seen["status"], seen["refundedCents"], seen["refundableCents"]) == (
        "partially_refunded",
        1_200,
        3_800,
    )


async def test_more_than_is_left_is_a_conflict(owner: Client, org: Org) -> None:
    # The answer says how much is left; nothing was begun.
    paid = await a_payment(org)
    refused = await owner.post(f"/v1/payments/{paid.id}/partial-refund", {"amountCents": 5_001})
    assert (refused.status, refused.error["code"]) == (409, "CONFLICT")
    assert refused.error["refundableCents"] == 5_000
    assert (await owner.get(f"/v1/refunds?paymentId={paid.id}")).value == []


async def test_the_same_key_is_the_same_refund(owner: Client, org: Org) -> None:
    # A repetition is answered the same, and gives nothing back again.
    paid = await a_payment(org)
    path, headers = f"/v1/payments/{paid.id}/refund", {"idempotency-key": "give-back-1"}
    first = await owner.ask("POST", path, {}, headers=headers)
    again = await owner.ask("POST", path, {}, headers=headers)
    assert (first.status, first.body) == (again.status, again.body)
    assert again.headers["idempotent-replayed"] == "true"
    refused = await owner.post(path, {})
    assert (refused.status, refused.error["currentStatus"]) == (409, "refunded")


async def test_an_unknown_outcome_is_accepted(owner: Client, org: Org, world: World) -> None:
    # 202 while nobody knows; the watchdog finds out.
    paid = await a_payment(org)
    control(world.sandbox, "POST", "faults", kind="drop_after", path="/v1/refunds", times=1)
    begun = await owner.post(f"/v1/payments/{paid.id}/refund", {})
    assert (begun.status, begun.value["status"]) == (202, "pending")
    await world.drain(watch=org)
    found = await owner.get(f"/v1/refunds/{begun.value['id']}")
    assert found.value["status"] == "succeeded"


async def test_a_refused_refund_says_why(owner: Client, org: Org) -> None:
    # 402 with the provider's code, the refund and the payment.
    paid = await a_payment(org, "pm_card_createDispute")
    refused = await owner.post(f"/v1/payments/{paid.id}/refund", {})
    assert (refused.status, refused.error["code"]) == (402, "PAYMENT_DECLINED")
    assert refused.error["declineCode"] == "charge_disputed"
    assert refused.error["paymentId"] == paid.id
    assert refused.error["refundId"].startswith("rfd_")


async def test_a_dry_run_gives_nothing_back(owner: Client, org: Org, world: World) -> None:
    # The refund that would begin is shown, and is not.
    paid = await a_payment(org)
    shown = await owner.post(f"/v1/payments/{paid.id}/refund?dryRun=true", {})
    assert (shown.status, shown.value["status"], shown.value["amountCents"]) == (
        200,
        "pending",
        5_000,
    )
    assert (await owner.get(f"/v1/refunds/{shown.value['id']}")).status == 404
    intents = [made["payment_intent"] for made in world.sandbox.books.all("refund")]
    assert paid.provider_reference not in intents


async def test_a_key_refunds_by_that_name_only(anyone: Client, org: Org) -> None:
    # billing:write collects; giving money back is a scope of its own.
    paid = await a_payment(org)
    biller = await key_client(org, "billing:write", anyone)
    path, body = f"/v1/payments/{paid.id}/partial-refund", {"amountCents": 1}
    refused = await biller.post(path, body)
    assert (refused.status, refused.error["permission"]) == (403, "refund:write")
    refunder = await key_client(org, "refunds:write", anyone)
    assert (await refunder.post(path, body)).status == 201
