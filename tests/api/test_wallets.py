"""Wallets over HTTP: every bad request has an answer of its own, and nothing is half done."""

from typing import Any

import pytest
from tests.api.client import Client
from tests.api.people import key_client, member
from tests.support.world import Org, World

from bursar.domain.access import Role
from bursar.domain.money import AMOUNT_MAX

UNKNOWN = "wal_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3d"
MOVES = ("deposit", "withdraw", "holds")
BAD_AMOUNTS: list[tuple[str, bytes]] = [
    ("a float", b'{"amountCents": 10.5}'),
    ("an integral float", b'{"amountCents": 3056.0}'),
    ("a text", b'{"amountCents": "100"}'),
    ("a boolean", b'{"amountCents": true}'),
    ("null", b'{"amountCents": null}'),
    ("nothing", b'{"amountCents": 0}'),
    ("less than nothing", b'{"amountCents": -1}'),
    ("beyond exact amounts", b'{"amountCents": 9007199254740992}'),
    ("beyond any limit", b'{"amountCents": 1e999}'),
    ("missing", b"{}"),
    ("given twice", b'{"amountCents": 1, "amountCents": 2}'),
]


@pytest.fixture
async def wallet(owner: Client) -> str:
    """The path of a wallet with 50.00 in it."""
    made = await owner.post("/v1/wallets", {"name": "Credits"})
    assert made.status == 201, made.body
    path = made.headers["location"]
    assert (await owner.post(f"{path}/deposit", {"amountCents": 5_000})).status == 200
    return path


async def has(owner: Client, path: str) -> tuple[int, int]:
    shown = await owner.get(path)
    return shown.value["balanceCents"], shown.value["availableCents"]


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("says", BAD_AMOUNTS, ids=lambda says: says[0])
async def test_a_bad_amount_is_named(
    owner: Client, wallet: str, move: str, says: tuple[str, bytes]
) -> None:
    # 400, the field, and no money moved.
    before = await has(owner, wallet)
    answer = await owner.ask("POST", f"{wallet}/{move}", says[1])
    assert (answer.status, answer.error["code"]) == (400, "VALIDATION_ERROR"), answer.body
    assert answer.fields == {"amountCents"}
    assert await has(owner, wallet) == before


@pytest.mark.parametrize("move", MOVES)
async def test_another_currency_is_refused(owner: Client, wallet: str, move: str) -> None:
    # Nothing is ever exchanged: 400, the field and the right currency are named.
    body = {"amountCents": 100, "currency": "eur"}
    answer = await owner.post(f"{wallet}/{move}", body)
    assert (answer.status, answer.fields) == (400, {"currency"}), answer.body
    assert answer.error["docUrl"].endswith("#wrong_currency")
    unknown = await owner.post(f"{wallet}/{move}", {"amountCents": 100, "currency": "EUR"})
    assert (unknown.status, unknown.fields) == (400, {"currency"})


@pytest.mark.parametrize("move", [*MOVES, "close"])
async def test_an_unknown_and_a_foreign_wallet_are_the_same(
    world: World, owner: Client, anyone: Client, move: str
) -> None:
    # 404 in the same words, and nothing there changes.
    elsewhere = await world.org()
    theirs = await elsewhere.wallet(900)
    body: dict[str, Any] = {} if move == "close" else {"amountCents": 100}
    foreign = await owner.post(f"/v1/wallets/{theirs.id}/{move}", body)
    unknown = await owner.post(f"/v1/wallets/{UNKNOWN}/{move}", body)
    assert foreign.status == unknown.status == 404
    said = foreign.error["message"].replace(theirs.id, "")
    assert said == unknown.error["message"].replace(UNKNOWN, "")
    at_home = anyone.bearing(elsewhere.access_token, elsewhere.id)
    assert await has(at_home, f"/v1/wallets/{theirs.id}") == (900, 900)


async def test_more_than_there_is(owner: Client, wallet: str) -> None:
    # 409 with how much is available; a hold counts, and so does a balance beyond exact amounts.
    before = await has(owner, wallet)
    for move in ("withdraw", "holds"):
        answer = await owner.post(f"{wallet}/{move}", {"amountCents": before[1] + 1})
        assert (answer.status, answer.error["code"]) == (409, "INSUFFICIENT_FUNDS"), answer.body
        assert answer.error["availableCents"] == before[1]
    full = await owner.post(f"{wallet}/deposit", {"amountCents": AMOUNT_MAX})
    assert (full.status, full.error["code"]) == (400, "VALIDATION_ERROR"), full.body
    assert await has(owner, wallet) == before


async def test_a_closed_wallet_takes_no_part(owner: Client) -> None:
    # 409 for every move, and for closing it again.
    made = await owner.post("/v1/wallets", {})
    path = made.headers["location"]
    filled = await owner.post(f"{path}/deposit", {"amountCents": 5})
    assert filled.value["balanceCents"] == 5
    assert (await owner.post(f"{path}/close", {})).status == 409
    assert (await owner.post(f"{path}/withdraw", {"amountCents": 5})).status == 200
    closed = await owner.post(f"{path}/close", {})
    assert (closed.status, closed.value["status"]) == (200, "closed")
    for move in MOVES:
        answer = await owner.post(f"{path}/{move}", {"amountCents": 5})
        assert (answer.status, answer.error["docUrl"]) == (409, "/docs/errors#wallet_closed")
    again = await owner.post(f"{path}/close", {})
    assert (again.status, again.error["currentStatus"]) == (409, "closed")


async def test_a_deposit_repeated_under_its_key_is_one(owner: Client) -> None:
    # The stored answer comes back, byte for byte; another body under the key is refused.
    path = (await owner.post("/v1/wallets", {})).headers["location"]
    first = await owner.post(f"{path}/deposit", {"amountCents": 70}, idempotency_key="once")
    again = await owner.post(f"{path}/deposit", {"amountCents": 70}, idempotency_key="once")
    assert (again.status, again.body) == (first.status, first.body)
    other = await owner.post(f"{path}/deposit", {"amountCents": 71}, idempotency_key="once")
    assert other.status == 422
    assert await has(owner, path) == (70, 70)


async def test_a_dry_run_moves_nothing(owner: Client, wallet: str) -> None:
    # The answer is what would have happened.
    before = await has(owner, wallet)
    for move, change in (("deposit", 100), ("withdraw", -100)):
        tried = await owner.post(f"{wallet}/{move}?dryRun=true", {"amountCents": 100})
        assert (tried.status, tried.value["balanceCents"]) == (200, before[0] + change)
    assert await has(owner, wallet) == before


async def test_ones_own_wallet_needs_membership_only(
    world: World, org: Org, owner: Client, anyone: Client
) -> None:
    # A viewer fills and reads their own and moves no other; a key has none of its own.
    viewer = await member(world, org, Role.VIEWER, anyone)
    mine = await viewer.get("/v1/wallets/me")
    assert (mine.status, mine.value["ownerType"], mine.value["balanceCents"]) == (200, "member", 0)
    filled = await viewer.post("/v1/wallets/me/deposit", {"amountCents": 250})
    assert (filled.status, filled.value["id"]) == (200, mine.value["id"])
    assert (filled.value["balanceCents"], filled.value["payment"]) == (250, None)
    history = await viewer.get("/v1/wallets/me/history?limit=1")
    assert [line["amountCents"] for line in history.value] == [250]
    refused = await viewer.post(f"/v1/wallets/{mine.value['id']}/withdraw", {"amountCents": 1})
    assert (refused.status, refused.error["permission"]) == (403, "wallet:move")
    key = await key_client(org, "billing:write", anyone)
    for answer in (await key.get("/v1/wallets/me"), await key.get("/v1/wallets/me/history")):
        assert (answer.status, answer.error["permission"]) == (403, "self:manage")
    assert (await owner.get(f"/v1/wallets/{mine.value['id']}/balance")).value == {
        "walletId": mine.value["id"],
        "object": "wallet_balance",
        "currency": "usd",
        "balanceCents": 250,
        "heldCents": 0,
        "availableCents": 250,
    }


async def test_a_hold_from_beginning_to_end(owner: Client, wallet: str) -> None:
    # Authorize, capture a part, and once only; more than it holds names the field.
    before = await has(owner, wallet)
    made = await owner.post(f"{wallet}/holds", {"amountCents": 300, "description": "Rental"})
    assert (made.status, made.value["status"]) == (201, "open")
    path = made.headers["location"]
    assert await has(owner, wallet) == (before[0], before[1] - 300)
    much = await owner.post(f"{path}/capture", {"amountCents": 301})
    assert (much.status, much.fields) == (400, {"amountCents"})
    captured = await owner.post(f"{path}/capture", {"amountCents": 120})
    assert (captured.value["status"], captured.value["capturedCents"]) == ("captured", 120)
    for verb in ("capture", "release"):
        assert (await owner.post(f"{path}/{verb}", {})).error["currentStatus"] == "captured"
    assert await has(owner, wallet) == (before[0] - 120, before[1] - 120)
    late = {"amountCents": 5, "expiresAt": "2020-01-01T00:00:00Z"}
    answer = await owner.post(f"{wallet}/holds", late)
    assert (answer.status, answer.fields) == (400, {"expiresAt"})


async def test_only_a_sandbox_provokes_failures(owner: Client) -> None:
    # The setting is shown, changed and taken back by a merge patch.
    made = await owner.post("/v1/wallets", {"provokeCredit": "refuse", "dailyLimitCents": 900})
    path = made.headers["location"]
    assert (made.value["provokeCredit"], made.value["dailyLimitCents"]) == ("refuse", 900)
    patch = {"provokeCredit": "none", "dailyLimitCents": None, "metadata": {"tier": "gold"}}
    changed = await owner.patch(path, patch)
    assert (changed.value["provokeCredit"], changed.value["dailyLimitCents"]) == ("none", None)
    assert changed.value["metadata"] == {"tier": "gold"}
    unheard = await owner.patch(path, {"provokeCredit": "explode"})
    assert (unheard.status, unheard.fields) == (400, {"provokeCredit"})


async def test_a_wallet_id_goes_with_the_mode_wallet(owner: Client, org: Org) -> None:
    # Otherwise nobody could say whose money is meant.
    customer = await org.customer(None)
    invoice, wallet = await org.invoice(customer, 500), await org.wallet(800, customer)
    path = f"/v1/invoices/{invoice.id}/pay"
    mixed = await owner.post(path, {"mode": "checkout", "walletId": wallet.id})
    assert (mixed.status, mixed.fields) == (400, {"walletId"})
    paid = await owner.post(path, {"mode": "wallet", "walletId": wallet.id})
    assert (paid.status, paid.value["payment"]["status"]) == (200, "succeeded")
    assert await has(owner, f"/v1/wallets/{wallet.id}") == (300, 300)
