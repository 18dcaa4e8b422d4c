"""Errands about wallets, for the tour: each dies at each of its points and is done once."""

from datetime import timedelta
from itertools import count
from typing import Final

from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Request

from bursar.domain.ids import HoldId, uuid_of
from bursar.domain.tasks import ExpireHold

_numbers = count(1)
CENTS: Final = 5_000
POSTED: Final = """
    SELECT count(*) FROM ledger_entries AS e JOIN wallets AS w ON w.account_id = e.account_id
    WHERE w.id = $1 AND e.amount_minor > 0
"""
STORED: Final = POSTED.replace("> 0", "< 0")


async def _open(stage: Stage) -> Request:
    name = f"Tour {next(_numbers)}"
    counted = "SELECT count(*) FROM wallets WHERE name = $1"
    return Request(stage.client, "POST", "/v1/wallets", {"name": name}, counted, name)


async def _wallet(stage: Stage, cents: int = CENTS, customer_id: str | None = None) -> str:
    made = await stage.client.post("/v1/wallets", {"customerId": customer_id})
    assert made.status == 201, made.body
    if cents:
        filled = await stage.client.post(
            f"/v1/wallets/{made.value['id']}/deposit", {"amountCents": cents}
        )
        assert filled.status == 200, filled.body
    return str(made.value["id"])


async def _change(stage: Stage) -> Request:
    wallet_id = await _wallet(stage, 0)
    return Request(stage.client, "PATCH", f"/v1/wallets/{wallet_id}", {"name": "Other"})


async def _deposit(stage: Stage) -> Request:
    wallet_id = await _wallet(stage, 0)
    body, path = {"amountCents": CENTS}, f"/v1/wallets/{wallet_id}/deposit"
    return Request(stage.client, "POST", path, body, STORED, uuid_of(wallet_id))


async def _deposit_by_charge(stage: Stage) -> Request:
    customer = next(iter(stage.customers.values()))
    wallet_id = await _wallet(stage, 0, customer.id)
    body = {"amountCents": CENTS, "mode": "charge"}
    path = f"/v1/wallets/{wallet_id}/deposit"
    return Request(stage.client, "POST", path, body, STORED, uuid_of(wallet_id))


async def _deposit_by_page(stage: Stage) -> Request:
    wallet_id = await _wallet(stage, 0)
    body = {"amountCents": CENTS, "mode": "checkout"}
    counted = "SELECT count(*) FROM payments WHERE wallet_id = $1"
    path = f"/v1/wallets/{wallet_id}/deposit"
    return Request(stage.client, "POST", path, body, counted, uuid_of(wallet_id))


async def _own(stage: Stage) -> Request:
    await stage.renew()
    counted = "SELECT count(*) FROM wallets WHERE user_id = $1"
    return Request(stage.client, "GET", "/v1/wallets/me", None, counted, uuid_of(stage.org.user_id))


async def _deposit_into_own(stage: Stage) -> Request:
    own = await stage.client.get("/v1/wallets/me")
    body = {"amountCents": CENTS, "mode": "checkout"}
    path = "/v1/wallets/me/deposit"
    counted = "SELECT 1 FROM payments WHERE wallet_id = $1 LIMIT 1"
    return Request(stage.client, "POST", path, body, counted, uuid_of(own.value["id"]))


async def _withdraw(stage: Stage) -> Request:
    wallet_id = await _wallet(stage)
    body, path = {"amountCents": 1_200}, f"/v1/wallets/{wallet_id}/withdraw"
    return Request(stage.client, "POST", path, body, POSTED, uuid_of(wallet_id))


async def _close(stage: Stage) -> Request:
    return Request(stage.client, "POST", f"/v1/wallets/{await _wallet(stage, 0)}/close")


async def _hold(stage: Stage) -> Request:
    wallet_id = await _wallet(stage)
    counted = "SELECT count(*) FROM holds WHERE wallet_id = $1"
    body, path = {"amountCents": 700}, f"/v1/wallets/{wallet_id}/holds"
    return Request(stage.client, "POST", path, body, counted, uuid_of(wallet_id))


async def _held(stage: Stage) -> tuple[str, str]:
    hold = await _hold(stage)
    made = await stage.client.post(hold.path, hold.body)
    assert made.status == 201, made.body
    return str(made.value["id"]), str(made.value["walletId"])


async def _capture(stage: Stage) -> Request:
    hold_id, wallet_id = await _held(stage)
    body, path = {"amountCents": 500}, f"/v1/holds/{hold_id}/capture"
    return Request(stage.client, "POST", path, body, POSTED, uuid_of(wallet_id))


async def _release(stage: Stage) -> Request:
    hold_id, _ = await _held(stage)
    return Request(stage.client, "POST", f"/v1/holds/{hold_id}/release")


async def _expire(stage: Stage) -> Request:
    hold_id, wallet_id = await _held(stage)
    over = "UPDATE holds SET expires_at = now() - interval '1 minute' WHERE id = $1"
    await stage.owner.execute(over, uuid_of(hold_id))
    app = stage.world.app
    async with app.database.machine() as connection:
        task = ExpireHold(HoldId(hold_id))
        await app.queue.enqueue(connection, stage.org.id, (task,), timedelta(0))
    counted = "SELECT count(*) FROM holds WHERE id = $1 AND status = 'expired' AND version = 2"
    path = f"/v1/wallets/{wallet_id}/history"
    return Request(stage.client, "GET", path, None, counted, uuid_of(hold_id))


async def _pay(stage: Stage) -> Request:
    customer = next(iter(stage.customers.values()))
    wallet_id = await _wallet(stage, CENTS, customer.id)
    invoice = await stage.org.invoice(customer, 1_500)
    body = {"mode": "wallet", "walletId": wallet_id}
    path = f"/v1/invoices/{invoice.id}/pay"
    return Request(stage.client, "POST", path, body, POSTED, uuid_of(wallet_id))


WALLET_ERRANDS: Final[tuple[Arrange, ...]] = (
    *(_open, _change, _deposit, _deposit_by_charge, _deposit_by_page),
    *(_own, _deposit_into_own, _withdraw, _close),
    *(_hold, _capture, _release, _expire, _pay),
)
