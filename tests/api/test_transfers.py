"""`/v1/transactions` over HTTP: the answers to good and to bad input, one and many."""

from typing import Any

import pytest
from tests.api.client import Client
from tests.support.world import Org

PATH = "/v1/transactions"


@pytest.fixture
async def pair(org: Org) -> tuple[str, str]:
    """A wallet with 10.00 and an empty one."""
    return (await org.wallet(1000)).id, (await org.wallet()).id


def body(pair: tuple[str, str], cents: Any = 100, **rest: Any) -> dict[str, Any]:
    return {"fromWalletId": pair[0], "toWalletId": pair[1], "amountCents": cents, **rest}


async def test_a_transfer_and_its_history(owner: Client, pair: tuple[str, str]) -> None:
    # 201 with every step; found again by its id and in both wallets' lists.
    made = await owner.post(PATH, body(pair, description="Lunch"))
    assert made.status == 201, made.body
    assert [step["status"] for step in made.value["history"]] == [
        "INITIATED",
        "DEBITED",
        "CREDITED",
        "COMPLETED",
    ]
    assert made.headers["location"] == f"{PATH}/{made.value['id']}"
    assert (await owner.get(f"{PATH}/{made.value['id']}")).value == made.value
    for query in (f"walletId={pair[0]}", f"toWalletId={pair[1]}", f"fromWalletId={pair[0]}"):
        found = await owner.get(f"{PATH}?{query}&status=COMPLETED")
        assert [each["id"] for each in found.value] == [made.value["id"]]


@pytest.mark.parametrize(
    ("change", "said", "field"),
    [
        ({"amountCents": 1.5}, (400, "VALIDATION_ERROR"), "amountCents"),
        ({"amountCents": 100.0}, (400, "VALIDATION_ERROR"), "amountCents"),
        ({"amountCents": "100"}, (400, "VALIDATION_ERROR"), "amountCents"),
        ({"amountCents": True}, (400, "VALIDATION_ERROR"), "amountCents"),
        ({"amountCents": None}, (400, "VALIDATION_ERROR"), "amountCents"),
        ({"amountCents": 0}, (400, "VALIDATION_ERROR"), "amountCents"),
        ({"amountCents": -1}, (400, "VALIDATION_ERROR"), "amountCents"),
        ({"amountCents": 2**53}, (400, "VALIDATION_ERROR"), "amountCents"),
        ({"toWalletId": "wal_1"}, (400, "VALIDATION_ERROR"), "toWalletId"),
        ({"toWalletId": ...}, (400, "VALIDATION_ERROR"), "toWalletId"),
        ({"amountCents": ...}, (400, "VALIDATION_ERROR"), "amountCents"),
        ({"currency": "eur"}, (400, "VALIDATION_ERROR"), "currency"),
        ({"currency": "USD"}, (400, "VALIDATION_ERROR"), "currency"),
        ({"note": "x"}, (400, "VALIDATION_ERROR"), "note"),
        ({"metadata": {"provoke": "x"}}, (400, "VALIDATION_ERROR"), "metadata.provoke"),
        ({"description": "4242 4242 4242 4242"}, (400, "VALIDATION_ERROR"), "description"),
        ({"toWalletId": "self"}, (400, "VALIDATION_ERROR"), "toWalletId"),
        ({"fromWalletId": None}, (400, "VALIDATION_ERROR"), "fromWalletId"),
        ({"toWalletId": "wal_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"}, (404, "NOT_FOUND"), None),
        ({"amountCents": 1001}, (409, "INSUFFICIENT_FUNDS"), None),
    ],
    ids=str,
)
async def test_bad_input_has_its_own_answer(
    owner: Client,
    pair: tuple[str, str],
    change: dict[str, Any],
    said: tuple[int, str],
    field: str | None,
) -> None:
    # Alone and as one of many the answer is the same, and its neighbors go through.
    asked = {key: value for key, value in {**body(pair), **change}.items() if value is not ...}
    if asked.get("toWalletId") == "self":
        asked["toWalletId"] = pair[0]
    alone = await owner.post(PATH, asked)
    assert (alone.status, alone.error["code"]) == said, alone.body
    assert field is None or field in alone.fields
    many = await owner.post(
        f"{PATH}/batch", {"transactions": [body(pair, 1), asked, body(pair, 1)]}
    )
    assert (many.status, many.value["accepted"], many.value["refused"]) == (200, 2, 1)
    first, bad, last = many.value["results"]
    assert (bad["status"], bad["error"]["code"]) == said
    assert field is None or field in {each["field"] for each in bad["error"]["details"]}
    assert first["transaction"]["status"] == last["transaction"]["status"] == "COMPLETED"


@pytest.mark.parametrize(
    "batch",
    [
        {},
        {"transactions": []},
        {"transactions": {}},
        {"transactions": [{}] * 1001},
        {"transactions": [], "atomic": True},
    ],
    ids=["missing", "none", "no list", "too many", "unknown"],
)
async def test_a_batch_that_is_none(owner: Client, batch: dict[str, Any]) -> None:
    # What is around the items is judged as a whole: nothing moves.
    answer = await owner.post(f"{PATH}/batch", batch)
    assert (answer.status, answer.error["code"]) == (400, "VALIDATION_ERROR")
    assert answer.fields & {"transactions", "atomic"}


async def test_keys_inside_a_batch(owner: Client, pair: tuple[str, str]) -> None:
    # The same key and words: the same transaction; the same key for something else: 422.
    one = {**body(pair, 5), "idempotencyKey": "a-1"}
    batch = {"transactions": [one, one, {**one, "amountCents": 6}]}
    answer = await owner.post(f"{PATH}/batch", batch)
    first, again, other = answer.value["results"]
    assert first["transaction"] == again["transaction"]
    assert (other["status"], other["error"]["code"]) == (422, "IDEMPOTENCY_MISMATCH")


async def test_the_same_key_answers_the_same(owner: Client, pair: tuple[str, str]) -> None:
    # A refusal too; another body under the key is told so.
    for cents in (100, 5000):
        headers = {"idempotency-key": f"once-{cents}"}
        first = await owner.ask("POST", PATH, body(pair, cents), headers=headers)
        again = await owner.ask("POST", PATH, body(pair, cents), headers=headers)
        other = await owner.ask("POST", PATH, body(pair, cents + 1), headers=headers)
        assert first.body == again.body
        assert again.headers["idempotent-replayed"] == "true"
        assert (other.status, other.error["code"]) == (422, "IDEMPOTENCY_MISMATCH")


async def test_a_failed_credit_is_an_answer(owner: Client, pair: tuple[str, str]) -> None:
    # The transaction exists and has failed; the sender has the amount back.
    answer = await owner.post(PATH, body(pair, 100, metadata={"provoke": "refuse"}))
    assert (answer.status, answer.value["status"]) == (201, "FAILED")
    assert answer.value["failureCode"] == "credit_refused"
    assert (await owner.get(f"/v1/wallets/{pair[0]}")).value["balanceCents"] == 1000
