"""Transfers: one, many, refused, provoked, resumed; every cent in one place at every commit."""

import asyncio

import msgspec
import pytest
from tests.support.waiting import eventually
from tests.support.world import Org, World

from bursar.domain.currencies import currency
from bursar.domain.frozen import replace
from bursar.domain.ids import WalletId
from bursar.domain.refusals import (
    IdempotencyMismatch,
    InsufficientFunds,
    InvalidInput,
    NotFound,
    Refusal,
    StillInUse,
    TransferAboveLimit,
    WrongCurrency,
)
from bursar.domain.shapes import render
from bursar.domain.shapes.transfers import TransferFactOut
from bursar.domain.transfers import CreditFailure, Till, Transfer, TransferStatus
from bursar.domain.wallets import Provocation
from bursar.flows.transfer_money import transfer_many, transfer_money
from bursar.operations.transfers import (
    PostTransfer,
    PostTransfers,
    SettleTransfer,
    post_transfer,
    post_transfers,
    settle_transfer,
)
from bursar.operations.wallets import CloseWallet, close_wallet
from bursar.reads.transfers import transfer as transfer_look
from bursar.reads.verify import checks
from bursar.reads.wallets import wallet as wallet_look
from bursar.runtime.idempotency import Answer, Replayed

DONE = ["INITIATED", "DEBITED", "CREDITED", "COMPLETED"]
_BOOKED = """
SELECT t.kind, a.code, e.amount_minor, e.currency
FROM ledger_transactions AS t
JOIN ledger_entries AS e ON e.org_id = t.org_id AND e.transaction_id = t.id
JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
WHERE t.source_id = $1 ORDER BY t.id, e.position
"""
_TOLD = """
SELECT type, is_public, sequence, snapshot::text, previous::text FROM events
WHERE resource_type = 'transaction' AND 'txn_' || resource_id = $1 AND personal IS NULL
ORDER BY id
"""
_HOLD = "UPDATE ledger_accounts SET held_minor = $2 WHERE code = $1"
_WAITS = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
GIVEN_BACK = ["INITIATED", "DEBITED", "REFUNDING", "FAILED"]


def order(sender: str, receiver: str, minor: int, **rest: object) -> PostTransfer:
    return PostTransfer(
        from_wallet_id=WalletId(sender),
        to_wallet_id=WalletId(receiver),
        amount_minor=minor,
        **rest,  # type: ignore[arg-type]  # the fields of the command
    )


def reply(_transfer: Transfer) -> Answer:
    return Answer(201, b"{}")


async def held(org: Org, *wallets: str) -> list[int]:
    looks = [await org.caller.look(wallet_look, WalletId(each)) for each in wallets]
    return [look.balance.minor for look in looks]


async def require_green(org: Org) -> None:
    found = await org.caller.look(checks)
    assert [(check.name, check.offenders) for check in found if not check.is_good] == []


async def events_of(org: Org, transfer_id: str) -> list[str]:
    connection = await org.world.house.as_owner()
    try:
        rows = await connection.fetch(
            "SELECT type, snapshot ->> 'status' AS status FROM events"
            " WHERE 'txn_' || resource_id = $1 ORDER BY sequence",
            transfer_id,
        )
    finally:
        await connection.close()
    assert [row["type"].removeprefix("transaction.").upper() for row in rows] == [
        row["status"] for row in rows
    ]
    return [row["status"] for row in rows]


async def test_a_transfer_is_done_in_one_commit(world: World) -> None:
    # Every step is told and kept in the history, and the amount has arrived.
    org = await world.org()
    a, b = await org.wallet(1000), await org.wallet()
    done = await org.caller.run(post_transfer, order(a.id, b.id, 400))
    assert [step.status for step in done.history] == DONE
    assert await events_of(org, done.id) == DONE
    assert await held(org, a.id, b.id) == [600, 400]
    assert await org.caller.look(transfer_look, done.id) == done
    await require_green(org)


async def test_what_a_completed_transfer_leaves_is_what_its_minutes_say(world: World) -> None:
    # It is written by one statement for many; a reader finds what the rules decided, row for row.
    org = await world.org()
    a, b = await org.wallet(1000), await org.wallet()
    asked = order(a.id, b.id, 400, description='"Lunch"', metadata={"desk": "4"})
    (done,) = await org.caller.run(post_transfers, PostTransfers((asked,)))
    assert isinstance(done, Transfer)
    said = Till({}, at=done.created_at, wall=done.created_at, is_sandbox=True).minutes(done)
    assert await booked(org, done) == [
        (each.kind, entry.account.code, entry.amount.minor, entry.amount.currency)
        for each in said.postings
        for entry in each.entries
    ]
    seen = await told(org, done)
    assert seen == [
        (type(event).name, event.is_public, number, render.snapshot(event.subject), former)
        for number, event in enumerate(said.events, start=1)
        for former in [render.changed(event.before, event.subject)]
    ]


async def booked(org: Org, transfer: Transfer) -> list[tuple[object, ...]]:
    connection = await org.world.house.as_owner()
    try:
        rows = await connection.fetch(_BOOKED, transfer.id)
    finally:
        await connection.close()
    return [tuple(row) for row in rows]


async def told(org: Org, transfer: Transfer) -> list[tuple[object, ...]]:
    """Name, whether public, sequence, snapshot and former values, in the order of their ids."""
    connection = await org.world.house.as_owner()
    try:
        rows = await connection.fetch(_TOLD, transfer.id)
    finally:
        await connection.close()
    found = []
    for *head, snapshot, previous in rows:
        shown = msgspec.json.decode(snapshot, type=TransferFactOut)
        former = previous and msgspec.json.encode(msgspec.json.decode(previous))
        found.append((*head, msgspec.json.encode(shown), former))
    return found


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"amount_minor": 1001}, InsufficientFunds),
        ({"to_wallet_id": "sender"}, InvalidInput),
        ({"from_wallet_id": None}, InvalidInput),
        ({"currency": currency("eur")}, WrongCurrency),
        ({"to_wallet_id": "other currency"}, WrongCurrency),
        ({"to_wallet_id": "wal_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"}, NotFound),
        ({"from_wallet_id": "wal_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"}, NotFound),
        ({"metadata": {"provoke": "chaos"}}, InvalidInput),
        ({"amount_minor": 701}, TransferAboveLimit),
    ],
    ids=["funds", "self", "no sender", "currency", "receiver", "to", "from", "provoke", "limit"],
)
async def test_what_may_not_be_leaves_nothing(
    world: World, change: dict[str, object], refusal: type[Refusal]
) -> None:
    # A refused transfer has no row, no event and no posting.
    org = await world.org()
    limit = 700 if refusal is TransferAboveLimit else None
    a, b = await org.wallet(1000, transfer_limit=limit), await org.wallet()
    named = {
        "sender": a.id,
        "other currency": (await org.wallet(currency=currency("eur"))).id,
    }
    wanted = {
        key: named.get(value, value) if isinstance(value, str) else value
        for key, value in change.items()
    }
    with pytest.raises(refusal):
        await org.caller.run(post_transfer, replace(order(a.id, b.id, 100), **wanted))  # type: ignore[arg-type]  # the fields of the command
    assert await held(org, a.id, b.id) == [1000, 0]
    await require_green(org)


async def test_a_daily_limit_counts_what_was_sent(world: World) -> None:
    # Within one batch too, and what came back does not count.
    org = await world.org()
    a = await org.wallet(1000, daily_limit=500)
    b = await org.wallet()
    failing = order(a.id, b.id, 300, metadata={"provoke": "refuse"})
    failed = await transfer_money(org.caller, failing, reply)
    assert failed.status is TransferStatus.FAILED
    outcomes = await org.caller.run(
        post_transfers, PostTransfers((order(a.id, b.id, 300), order(a.id, b.id, 201)))
    )
    assert isinstance(outcomes[0], Transfer)
    assert isinstance(outcomes[1], TransferAboveLimit)
    assert isinstance(
        (await org.caller.run(post_transfers, PostTransfers((order(a.id, b.id, 200),))))[0],
        Transfer,
    )
    with pytest.raises(TransferAboveLimit):
        await org.caller.run(post_transfer, order(a.id, b.id, 1))


@pytest.mark.parametrize("is_ahead", [False, True])
async def test_one_bad_transfer_fails_no_other(world: World, *, is_ahead: bool) -> None:
    # They are taken in their order: what an earlier one brings, a later one may spend.
    org = await world.org()
    a, b, c = (
        await org.wallet(100),
        await org.wallet(),
        await org.wallet(),
    )
    outcomes = await org.caller.run(
        post_transfers,
        PostTransfers(
            (
                order(b.id, c.id, 1),
                order(a.id, b.id, 60),
                order(a.id, b.id, 60),
                order(b.id, c.id, 50),
                order(a.id, a.id, 1),
            ),
            is_ahead,
        ),
    )
    kinds = [type(each).__name__ for each in outcomes]
    assert kinds == [
        "InsufficientFunds",
        "Transfer",
        "InsufficientFunds",
        "Transfer",
        "InvalidInput",
    ]
    assert await held(org, a.id, b.id, c.id) == [40, 10, 50]
    await require_green(org)


async def test_what_was_decided_ahead_of_others_is_decided_again(world: World) -> None:
    # Something of a wallet is held between the look and the lock: only what is left may be sent,
    # also where another transfer of the batch brings the same amount back afterwards.
    org = await world.org()
    a, b = await org.wallet(100), await org.wallet()
    asked = order(a.id, b.id, 60), order(b.id, a.id, 60), order(a.id, b.id, 20)
    connection = await world.house.as_owner()
    try:
        async with connection.transaction():
            await connection.execute(_HOLD, f"wallet:{a.id}", 70)
            caller = org.with_key("overtaken")
            many = asyncio.create_task(transfer_many(caller, asked, lambda _: Answer(200, b"{}")))
            await eventually(lambda: connection.fetchval(_WAITS))
        outcomes = await many
        assert await held(org, a.id, b.id) == [80, 20]
        await connection.execute(_HOLD, f"wallet:{a.id}", 0)
    finally:
        await connection.close()
    kinds = [type(each).__name__ for each in outcomes]
    assert kinds == ["InsufficientFunds", "InsufficientFunds", "Transfer"]
    assert isinstance(outcomes[2], Transfer)
    assert await events_of(org, outcomes[2].id) == DONE
    await require_green(org)


async def test_batches_of_the_same_wallets_move_what_is_there_and_no_more(world: World) -> None:
    # Written at the same time and locked last, in the order of ids: none waits for ever.
    org = await world.org()
    a, b = await org.wallet(100), await org.wallet(100)
    there = tuple(order(a.id, b.id, 30) for _ in range(3))
    back = tuple(order(b.id, a.id, 30) for _ in range(3))
    batches = await asyncio.gather(
        *(
            transfer_many(org.caller, each, lambda _: Answer(200, b"{}"))
            for each in (there, back) * 4
        )
    )
    sent = [each for outcomes in batches for each in outcomes if isinstance(each, Transfer)]
    gained = sum(each.amount.minor if each.to_wallet_id == b.id else -30 for each in sent)
    assert await held(org, a.id, b.id) == [100 - gained, 100 + gained]
    await require_green(org)


async def test_a_callers_key_moves_money_once(world: World) -> None:
    # In one batch and in the next; another transfer under it is refused.
    org = await world.org()
    a, b = await org.wallet(100), await org.wallet()
    once = order(a.id, b.id, 10, key="salary")
    batch = PostTransfers((once, once, replace(once, amount_minor=11)))
    first, again, other = await org.caller.run(post_transfers, batch)
    assert first == again
    assert isinstance(other, IdempotencyMismatch)
    (later,) = await org.caller.run(post_transfers, PostTransfers((once,)))
    assert later == first
    assert await held(org, a.id, b.id) == [90, 10]


@pytest.mark.parametrize("by", ["wallet", "metadata"])
async def test_a_refused_credit_is_given_back(world: World, by: str) -> None:
    # The debit is committed alone, then the amount returns; the sender has all of it.
    org = await world.org()
    a = await org.wallet(100)
    is_wallet = by == "wallet"
    b = await org.wallet(provoke_credit=Provocation.REFUSE if is_wallet else Provocation.NONE)
    asked = order(a.id, b.id, 30, metadata={} if is_wallet else {"provoke": "refuse"})
    taken = await org.caller.run(post_transfer, asked)
    assert taken.status is TransferStatus.DEBITED
    assert await held(org, a.id, b.id) == [70, 0]
    await require_green(org)
    done = await org.caller.run(settle_transfer, SettleTransfer(taken.id))
    assert [step.status for step in done.history] == GIVEN_BACK
    assert done.failure is CreditFailure.CREDIT_REFUSED
    assert await events_of(org, done.id) == GIVEN_BACK
    assert await held(org, a.id, b.id) == [100, 0]
    assert await org.caller.run(settle_transfer, SettleTransfer(taken.id)) == done
    await require_green(org)


async def test_a_credit_that_nobody_answers_is_tried_three_times(world: World) -> None:
    # The agenda has it tried again; then the amount goes back.
    org = await world.org()
    a, b = await org.wallet(100), await org.wallet()
    asked = order(a.id, b.id, 30, metadata={"provoke": "time_out"})
    first = await transfer_money(org.caller, asked, reply)
    assert first.status is TransferStatus.DEBITED
    await world.drain(watch=org)
    assert (await org.caller.look(transfer_look, first.id)).credit_attempts == 2
    await world.drain(watch=org)
    last = await org.caller.look(transfer_look, first.id)
    assert (last.status, last.failure) == ("FAILED", CreditFailure.CREDIT_TIMED_OUT)
    assert await held(org, a.id, b.id) == [100, 0]
    await require_green(org)


async def test_the_agenda_finishes_what_a_request_left(world: World) -> None:
    # Killed between the commits, nothing stays in transit.
    org = await world.org()
    a, b = await org.wallet(100), await org.wallet()
    later = order(a.id, b.id, 30, metadata={"provoke": "later"})
    taken = await org.caller.run(post_transfer, later)
    await world.drain(watch=org)
    done = await org.caller.look(transfer_look, taken.id)
    assert [step.status for step in done.history] == DONE
    assert await held(org, a.id, b.id) == [70, 30]
    await require_green(org)


async def test_a_batch_leaves_its_open_transfers_to_a_task(world: World) -> None:
    # The answer says DEBITED; right after, without any watchdog, they are settled.
    org = await world.org()
    a, b = await org.wallet(100), await org.wallet()
    asked = tuple(order(a.id, b.id, 10, metadata={"provoke": how}) for how in ("later", "refuse"))
    outcomes = await transfer_many(org.caller, asked, lambda _: Answer(200, b"{}"))
    await world.drain()
    ends = []
    for outcome in outcomes:
        assert isinstance(outcome, Transfer)
        ends.append((await org.caller.look(transfer_look, outcome.id)).status)
    assert ends == ["COMPLETED", "FAILED"]
    assert await held(org, a.id, b.id) == [90, 10]


async def test_a_retry_goes_on_with_what_it_began(world: World) -> None:
    # The same key, between the commits: no second debit; after the end: the very answer.
    org = await world.org()
    a, b = await org.wallet(100), await org.wallet()
    later = order(a.id, b.id, 30, metadata={"provoke": "later"})
    caller = org.with_key("retried")
    taken = await caller.run(post_transfer, later, answer=lambda _: None)
    await caller.release()
    done = await transfer_money(org.with_key("retried"), later, reply)
    assert (done.id, done.status) == (taken.id, "COMPLETED")
    with pytest.raises(Replayed):
        await transfer_money(org.with_key("retried"), later, reply)
    assert await held(org, a.id, b.id) == [70, 30]


async def test_a_sender_is_not_closed_while_it_may_come_back(world: World) -> None:
    # Or the amount would have nowhere to go; a receiver may close, and the sender has it back.
    org = await world.org()
    a, b = await org.wallet(30), await org.wallet()
    later = order(a.id, b.id, 30, metadata={"provoke": "later"})
    taken = await org.caller.run(post_transfer, later)
    with pytest.raises(StillInUse):
        await org.caller.run(close_wallet, CloseWallet(a.id))
    await org.caller.run(close_wallet, CloseWallet(b.id))
    done = await org.caller.run(settle_transfer, SettleTransfer(taken.id))
    assert done.failure is CreditFailure.WALLET_CLOSED
    assert await held(org, a.id, b.id) == [30, 0]
    await require_green(org)
