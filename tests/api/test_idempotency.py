"""Idempotency keys over HTTP: the same request, the same answer, one effect."""

import asyncio
from typing import Any

import pytest
from tests.api.client import Client, Response
from tests.support.world import PASSWORD, Org, World

from bursar.domain.frozen import replace

ADA: dict[str, Any] = {"email": "ada@example.com", "name": "Ada"}


async def count(owner: Client) -> int:
    listed = await owner.get("/v1/customers")
    return int(listed.json["meta"]["totalCount"])


async def test_the_same_request_again(owner: Client) -> None:
    # It has one effect, and its answer comes back letter for letter.
    first = await owner.post("/v1/customers", ADA, idempotency_key="k1")
    again = await owner.post("/v1/customers", ADA, idempotency_key="k1")
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert again.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert await count(owner) == 1


async def test_both_spellings_are_one_key(owner: Client) -> None:
    # The older name of the header means the same; two different keys mean nothing.
    first = await owner.post("/v1/customers", ADA, idempotency_key="k2")
    again = await owner.post("/v1/customers", ADA, x_idempotency_key="k2")
    assert again.body == first.body
    both = {"idempotency_key": "a", "x_idempotency_key": "b"}
    assert (await owner.post("/v1/customers", ADA, **both)).fields == {"Idempotency-Key"}


@pytest.mark.parametrize("key", ["", "a" * 256, "ä", "a\x7f", "a\tb"])
async def test_keys_that_are_none(key: str, owner: Client) -> None:
    # A key is 1 to 255 printable ASCII characters.
    answer = await owner.post("/v1/customers", ADA, idempotency_key=key)
    assert (answer.status, answer.fields) == (400, {"Idempotency-Key"})


async def test_another_request_with_the_key(owner: Client) -> None:
    # A key belongs to one method, path and body.
    made = await owner.post("/v1/customers", ADA, idempotency_key="k3")
    path = f"/v1/customers/{made.value['id']}"
    others = [
        await owner.post("/v1/customers", {**ADA, "name": "Eve"}, idempotency_key="k3"),
        await owner.post("/v1/invoices", ADA | {}, idempotency_key="k3"),
        await owner.delete(path, idempotency_key="k3"),
    ]
    assert others[0].status == others[2].status == 422
    assert others[0].error["code"] == "IDEMPOTENCY_MISMATCH"
    assert others[1].status == 400, "a malformed body is refused before the key is looked at"
    assert await count(owner) == 1


async def test_keys_of_organizations_do_not_meet(owner: Client, world: World) -> None:
    # The same key elsewhere is another key.
    first = await owner.post("/v1/customers", ADA, idempotency_key="k4")
    other = await world.org()
    there = owner.bearing(other.access_token, other.id)
    second = await there.post("/v1/customers", ADA, idempotency_key="k4")
    assert (first.status, second.status) == (201, 201)
    assert first.value["id"] != second.value["id"]


async def test_at_the_same_time(owner: Client) -> None:
    # Of many at once one runs; the others are told to come back, or get its answer.
    answers: list[Response] = await asyncio.gather(
        *(owner.post("/v1/customers", ADA, idempotency_key="k5") for _ in range(10))
    )
    assert await count(owner) == 1
    for answer in answers:
        assert answer.status in {201, 409}
        if answer.status == 409:
            assert answer.error["code"] == "IDEMPOTENCY_IN_PROGRESS"
            assert answer.headers["retry-after"] == "1"
    assert len({answer.body for answer in answers if answer.status == 201}) == 1


async def test_what_was_malformed_may_be_mended(owner: Client) -> None:
    # A 400 keeps no key: the mended request goes through under it.
    bad = await owner.post("/v1/customers", {**ADA, "email": "x"}, idempotency_key="k6")
    good = await owner.post("/v1/customers", ADA, idempotency_key="k6")
    assert (bad.status, good.status) == (400, 201)


async def test_a_decided_refusal_is_repeated(owner: Client, org: Org) -> None:
    # A conflict that an operation decided stays, also when the state has changed since.
    customer = await org.customer()
    draft = await org.draft(customer)
    path = f"/v1/invoices/{draft.id}"
    early = await owner.post(f"{path}/pay", {"mode": "charge"}, idempotency_key="k7")
    assert (early.status, early.error["code"]) == (409, "CONFLICT")
    await owner.post(f"{path}/finalize")
    again = await owner.post(f"{path}/pay", {"mode": "charge"}, idempotency_key="k7")
    assert (again.status, again.body) == (409, early.body)
    fresh = await owner.post(f"{path}/pay", {"mode": "charge"}, idempotency_key="k8")
    assert fresh.status == 200


async def test_a_decline_is_repeated(owner: Client, org: Org) -> None:
    # A declined card is an answer: the same one again, and no second attempt.
    customer = await org.customer("pm_card_chargeCustomerFail")
    invoice = await org.invoice(customer)
    path = f"/v1/invoices/{invoice.id}/pay"
    first = await owner.post(path, {"mode": "charge"}, idempotency_key="k9")
    assert (first.status, first.error["code"]) == (402, "PAYMENT_DECLINED"), first.body
    assert first.error["declineCode"]
    again = await owner.post(path, {"mode": "charge"}, idempotency_key="k9")
    assert (again.status, again.body) == (402, first.body)
    listed = await owner.get(f"/v1/payments?invoiceId={invoice.id}")
    assert [each["id"] for each in listed.value] == [first.error["paymentId"]]


async def test_not_found_keeps_no_key(owner: Client, org: Org) -> None:
    # What was refused without an effect may be asked again.
    customer = await org.customer()
    foreign = "cust_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"
    missing = await owner.delete(f"/v1/customers/{foreign}", idempotency_key="k10")
    found = await owner.delete(f"/v1/customers/{customer.id}", idempotency_key="k10")
    assert (missing.status, found.status) == (404, 204)
    again = await owner.delete(f"/v1/customers/{customer.id}", idempotency_key="k10")
    assert (again.status, again.headers["idempotent-replayed"]) == (204, "true")


async def test_dry_runs_keep_no_key(owner: Client, org: Org) -> None:
    # A dry run answers what would happen, and nothing happens.
    draft = await org.draft(await org.customer())
    path = f"/v1/invoices/{draft.id}"
    tried = await owner.post(f"{path}/finalize?dryRun=true", idempotency_key="k11")
    assert (tried.status, tried.value["status"]) == (200, "open")
    assert (await owner.get(path)).value["status"] == "draft"
    done = await owner.post(f"{path}/finalize", idempotency_key="k11")
    assert (done.status, done.value["invoiceNumber"]) == (200, tried.value["invoiceNumber"])
    pay = await owner.post(f"{path}/pay?dryRun=true", {"mode": "charge"})
    assert (pay.status, pay.value["payment"]["status"]) == (200, "pending")
    assert (await owner.get("/v1/payments")).value == []


async def test_signing_in_ignores_keys(anyone: Client) -> None:
    # Two sign-ins under one key are two sessions.
    email = "twice@example.com"
    body = {"email": email, "password": PASSWORD, "name": "Twice"}
    await anyone.post("/v1/auth/register", body)
    credentials = {"email": email, "password": PASSWORD}
    first = await anyone.post("/v1/auth/login", credentials, idempotency_key="k12")
    second = await anyone.post("/v1/auth/login", credentials, idempotency_key="k12")
    assert (first.status, second.status) == (200, 200)
    assert first.value["refreshToken"] != second.value["refreshToken"]


async def test_a_person_without_an_organization(anyone: Client, org: Org) -> None:
    # Where there is no organization, a key belongs to the person.
    alone = anyone.bearing(org.access_token)
    first = await alone.post("/v1/organizations", {"name": "Second"}, idempotency_key="k13")
    again = await alone.post("/v1/organizations", {"name": "Second"}, idempotency_key="k13")
    assert (first.status, again.body) == (201, first.body)
    listed = await alone.get("/v1/organizations")
    assert sorted(each["name"] for each in listed.value) == ["Acme", "Second"]


async def test_stored_answers_are_sealed(owner: Client, org: Org) -> None:
    # What is stored for a key tells nothing to whoever reads the table.
    made = await owner.post("/v1/api-keys", {"name": "x", "scopes": ["billing:read"]},
                            idempotency_key="k14")  # fmt: skip
    connection = await org.world.house.as_owner()
    try:
        rows = await connection.fetch("SELECT t::text AS line FROM idempotency_keys t")
    finally:
        await connection.close()
    assert rows
    assert all(made.value["key"] not in row["line"] for row in rows)
    assert all(made.value["key"].encode().hex() not in row["line"] for row in rows)


async def test_a_dead_owner_lets_go(owner: Client, org: Org) -> None:
    # A request that failed at the provider lets a retry under the same key go on at once.
    invoice = await org.invoice(await org.customer())
    path = f"/v1/invoices/{invoice.id}/pay"
    refused = await replace(owner).post(path, {"mode": "charge", "successUrl": "https://evil.example/"},
                                        idempotency_key="k15")  # fmt: skip
    assert (refused.status, refused.fields) == (400, {"successUrl"})
    paid = await owner.post(path, {"mode": "charge"}, idempotency_key="k15")
    assert paid.status == 200
