"""The scenes of stored money: it comes in, some of it is held, it moves, and it pays an invoice."""

from typing import Any, Final

from bursar.cli.demo_cast import Cast, require

_STORED_CENTS: Final = 10_000
_HELD_CENTS: Final = 3_000
_TAKEN_CENTS: Final = 1_200
_MOVED_CENTS: Final = 2_500
_DUE_CENTS: Final = 4_200
_DONE: Final = "COMPLETED"


async def store_money(cast: Cast) -> str:
    """The customer prepays; a part is held, and a part of that is taken."""
    cast.wallet_id = await _wallet(cast, {"customerId": cast.customer_id, "name": "Prepaid"})
    path = f"/v1/wallets/{cast.wallet_id}"
    await _deposit(cast, cast.wallet_id, _STORED_CENTS)
    body = {"amountCents": _HELD_CENTS, "description": "Setup visit"}
    hold = (await cast.program.post(f"{path}/holds", body)).expect(201).value
    held = (await cast.program.get(path)).expect(200).value
    require(
        wanted=(_STORED_CENTS, _STORED_CENTS - _HELD_CENTS),
        came=(held["balanceCents"], held["availableCents"]),
    )
    capture = {"amountCents": _TAKEN_CENTS}
    (await cast.program.post(f"/v1/holds/{hold['id']}/capture", capture)).expect(200)
    left = _STORED_CENTS - _TAKEN_CENTS
    await _require_left(cast, left)
    return f"{_STORED_CENTS} cents in, {_HELD_CENTS} held, {_TAKEN_CENTS} of it taken, {left} left"


async def transfer_value(cast: Cast) -> str:
    """Value moves from one wallet to another, step by step."""
    other = await _wallet(cast, {"name": "House"})
    await _deposit(cast, other, _MOVED_CENTS)
    body = {"fromWalletId": other, "toWalletId": cast.wallet_id, "amountCents": _MOVED_CENTS}
    moved = (await cast.program.post("/v1/transactions", body)).expect(201, 202).value
    if moved["status"] != _DONE:
        moved = await cast.until(
            f"/v1/transactions/{moved['id']}",
            lambda found: found["status"] == _DONE,
            wanted="a completed transfer",
        )
    await _require_left(cast, _STORED_CENTS - _TAKEN_CENTS + _MOVED_CENTS)
    return f"{moved['id']}: {_MOVED_CENTS} cents, {len(moved['history'])} steps"


async def pay_by_wallet(cast: Cast) -> str:
    """Stored money pays an invoice, at once."""
    invoice = await cast.final_invoice("Fifth month", _DUE_CENTS)
    path = f"/v1/invoices/{invoice['id']}/pay"
    body = {"mode": "wallet", "walletId": cast.wallet_id}
    payment = (await cast.program.post(path, body)).expect(200).value["payment"]
    require(wanted=("succeeded", _DUE_CENTS), came=(payment["status"], payment["amountCents"]))
    left = _STORED_CENTS - _TAKEN_CENTS + _MOVED_CENTS - _DUE_CENTS
    await _require_left(cast, left)
    history = f"/v1/wallets/{cast.wallet_id}/history"
    lines = (await cast.program.get(history)).expect(200).value
    require(wanted=left, came=lines[0]["balanceCents"])
    return f"{invoice['invoiceNumber']} is paid; {left} cents left after {len(lines)} moves"


async def _wallet(cast: Cast, body: dict[str, object]) -> str:
    return str((await cast.program.post("/v1/wallets", body)).expect(201).value["id"])


async def _deposit(cast: Cast, wallet_id: str, cents: int) -> None:
    path = f"/v1/wallets/{wallet_id}/deposit"
    filled: Any = (await cast.program.post(path, {"amountCents": cents})).expect(200).value
    require(wanted=cents, came=filled["balanceCents"])


async def _require_left(cast: Cast, cents: int) -> None:
    found = (await cast.program.get(f"/v1/wallets/{cast.wallet_id}")).expect(200).value
    require(wanted=(cents, cents), came=(found["balanceCents"], found["availableCents"]))
