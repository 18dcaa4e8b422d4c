"""Many requests in one commit: each answered as if it were alone, under its own name and key."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
from tests.support.world import Org, World

from bursar.domain.access import ApiKey
from bursar.domain.ids import TransferId, WalletId, uuid_of
from bursar.domain.refusals import (
    IdempotencyMismatch,
    InsufficientFunds,
    NotAllowed,
    NotAuthenticated,
)
from bursar.domain.transfers import Transfer
from bursar.flows.transfer_money import TRANSFERS_SHARED_MAX, transfer_many, transfer_money
from bursar.operations.api_keys import CreateApiKey, RevokeApiKey, create_api_key, revoke_api_key
from bursar.operations.transfers import Outcome, PostTransfer
from bursar.reads.transfers import transfer as transfer_look
from bursar.reads.verify import checks
from bursar.reads.wallets import wallet as wallet_look
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer, Idempotency, Replayed


def reply(transfer: Transfer) -> Answer:
    return Answer(201, transfer.id.encode())


def reply_to_all(outcomes: tuple[Outcome, ...]) -> Answer:
    return Answer(200, ",".join(taken_of(outcomes)).encode())


def taken_of(outcomes: tuple[Outcome, ...]) -> list[str]:
    return [each.id for each in outcomes if isinstance(each, Transfer)]


async def by_key(org: Org, scope: str) -> Caller:
    issued = await org.caller.run(create_api_key, CreateApiKey(name=scope, scopes=(scope,)))
    return replace(org.caller, actor=ApiKey(issued.record.id, (scope,)), request_id=str(uuid4()))


def keyed(caller: Caller, key: str, fingerprint: bytes = b"f" * 32) -> Caller:
    return replace(caller, idempotency=Idempotency(key, fingerprint, uuid4()))


async def balance(org: Org, wallet_id: WalletId) -> int:
    return (await org.caller.look(wallet_look, wallet_id)).balance.minor


async def test_together_and_each_for_itself(world: World) -> None:
    # A hundred at once, of whom some may not, some cannot pay, and one key is no good any more.
    org = await world.org()
    rich, poor, goal = await org.wallet(1000), await org.wallet(3), await org.wallet()
    revoked, reader = await by_key(org, "wallets:write"), await by_key(org, "billing:read")
    assert isinstance(revoked.actor, ApiKey)
    await org.caller.run(revoke_api_key, RevokeApiKey(revoked.actor.key_id))
    writer = await by_key(org, "wallets:write")

    def of(caller: Caller, sender: WalletId) -> "asyncio.Task[Transfer]":
        command = PostTransfer(from_wallet_id=sender, to_wallet_id=goal.id, amount_minor=1)
        return asyncio.create_task(transfer_money(caller, command, reply))

    good = [of(writer, rich.id) for _ in range(60)]
    short = [of(org.caller, poor.id) for _ in range(10)]
    others = [of(caller, rich.id) for caller in (revoked, reader) for _ in range(5)]
    done = await asyncio.gather(*good, *short, *others, return_exceptions=True)
    kinds = [type(each) for each in done]
    assert kinds[:60] == [Transfer] * 60
    assert sorted(kind.__name__ for kind in kinds[60:70]) == (
        ["InsufficientFunds"] * 7 + ["Transfer"] * 3
    )
    assert kinds[70:] == [NotAuthenticated] * 5 + [NotAllowed] * 5
    assert [await balance(org, each.id) for each in (rich, poor, goal)] == [940, 0, 63]


async def test_each_event_names_its_own_request(world: World) -> None:
    # Who asked, why, and in which request: as if it had been alone.
    org = await world.org()
    sender, goal = await org.wallet(1000), await org.wallet()
    command = PostTransfer(from_wallet_id=sender.id, to_wallet_id=goal.id, amount_minor=1)
    callers = [
        replace(org.caller, request_id=str(uuid4()), reason=f"reason {number}")
        for number in range(20)
    ]
    made = await asyncio.gather(*(transfer_money(each, command, reply) for each in callers))
    connection = await world.house.as_owner()
    try:
        for caller, transfer in zip(callers, made, strict=True):
            rows = await connection.fetch(
                "SELECT DISTINCT request_id, reason FROM events WHERE resource_id = $1",
                uuid_of(transfer.id),
            )
            assert [tuple(row) for row in rows] == [(caller.request_id, caller.reason)]
    finally:
        await connection.close()


async def test_a_key_moves_money_once_however_often_it_comes_at_once(world: World) -> None:
    # One does it; the others get the same answer, and another request under the key is told so.
    org = await world.org()
    sender, goal = await org.wallet(1000), await org.wallet()
    command = PostTransfer(from_wallet_id=sender.id, to_wallet_id=goal.id, amount_minor=1)
    same = [transfer_money(keyed(org.caller, "k"), command, reply) for _ in range(20)]
    other = transfer_money(keyed(org.caller, "k", b"o" * 32), command, reply)
    done = await asyncio.gather(*same, other, return_exceptions=True)
    moved = [each for each in done[:20] if isinstance(each, Transfer)]
    replayed = [each.answer.body.decode() for each in done[:20] if isinstance(each, Replayed)]
    assert (len(moved), set(replayed)) == (1, {moved[0].id})
    assert isinstance(done[20], IdempotencyMismatch)
    assert await balance(org, goal.id) == 1


async def test_a_thousand_take_from_what_covers_ten(world: World) -> None:
    # Exactly ten succeed, and no commit ever saw less than nothing.
    org = await world.org()
    sender, goal = await org.wallet(10), await org.wallet()
    command = PostTransfer(from_wallet_id=sender.id, to_wallet_id=goal.id, amount_minor=1)
    done = await asyncio.gather(
        *(transfer_money(org.caller, command, reply) for _ in range(1000)), return_exceptions=True
    )
    assert sum(isinstance(each, Transfer) for each in done) == 10
    assert sum(isinstance(each, InsufficientFunds) for each in done) == 990
    assert [await balance(org, each.id) for each in (sender, goal)] == [0, 10]


@pytest.mark.parametrize("how", ["later", "refuse"])
async def test_what_goes_on_keeps_its_key(world: World, how: str) -> None:
    # The debit rides with others, the rest goes alone; the retry has the last answer.
    org = await world.org()
    sender, goal = await org.wallet(1000), await org.wallet()
    command = PostTransfer(
        from_wallet_id=sender.id, to_wallet_id=goal.id, amount_minor=1, metadata={"provoke": how}
    )
    done = await transfer_money(keyed(org.caller, how), command, reply)
    with pytest.raises(Replayed) as replayed:
        await transfer_money(keyed(org.caller, how), command, reply)
    found = TransferId(replayed.value.answer.body.decode())
    assert (await org.caller.look(transfer_look, found)) == done


async def test_batches_that_share_a_commit_are_each_answered_alone(world: World) -> None:
    # Twelve at once: good ones under their own names and keys, one that cannot pay for all of it,
    # one whose credit is refused, one that spends what another brings, and one that may not.
    org = await world.org()
    rich, poor, through = await org.wallet(1000), await org.wallet(3), await org.wallet()
    goal = await org.wallet()

    def move(sender: WalletId, receiver: WalletId, minor: int, **rest: str) -> PostTransfer:
        return PostTransfer(
            from_wallet_id=sender, to_wallet_id=receiver, amount_minor=minor, metadata=rest
        )

    asked = [
        *((move(rich.id, goal.id, 1), move(rich.id, goal.id, 2)) for _ in range(8)),
        (move(poor.id, goal.id, 2), move(poor.id, goal.id, 2)),
        (move(rich.id, through.id, 50, provoke="refuse"), move(rich.id, through.id, 7)),
        (move(rich.id, through.id, 40), move(through.id, goal.id, 40)),
    ]
    callers = [
        replace(keyed(org.caller, f"b{at}"), request_id=str(uuid4()), reason=f"reason {at}")
        for at in range(len(asked))
    ]
    *done, refused = await asyncio.gather(
        *(transfer_many(each, few, reply_to_all) for each, few in zip(callers, asked, strict=True)),
        transfer_many(await by_key(org, "billing:read"), asked[0], reply_to_all),
        return_exceptions=True,
    )
    assert isinstance(refused, NotAllowed)
    outcomes = [each for each in done if isinstance(each, tuple)]
    assert [len(taken_of(each)) for each in outcomes] == [2] * 8 + [1, 2, 2]
    assert isinstance(outcomes[8][1], InsufficientFunds)
    await world.drain()
    assert [await balance(org, each.id) for each in (rich, poor, through, goal)] == [
        *(1000 - 24 - 7 - 40, 1, 7, 24 + 2 + 40)
    ]
    commits = set()
    connection = await world.house.as_owner()
    try:
        for caller, each in zip(callers, outcomes, strict=True):
            rows = await connection.fetch(
                "SELECT DISTINCT request_id, reason, transaction_id::text AS commit FROM events"
                " WHERE resource_id = ANY($1) AND sequence <= 2",
                list(map(uuid_of, taken_of(each))),
            )
            assert [tuple(row)[:2] for row in rows] == [(caller.request_id, caller.reason)]
            commits |= {row["commit"] for row in rows}
    finally:
        await connection.close()
    assert len(commits) < len(asked)
    for caller, each in zip(callers, outcomes, strict=True):
        with pytest.raises(Replayed) as replayed:
            await transfer_many(caller, asked[0], reply_to_all)
        assert replayed.value.answer == reply_to_all(each)
    found = await org.caller.look(checks)
    assert [check.name for check in found if not check.is_good] == []


@pytest.mark.parametrize("count", [1, TRANSFERS_SHARED_MAX, TRANSFERS_SHARED_MAX + 1])
async def test_a_batch_of_any_length_under_a_key(world: World, count: int) -> None:
    # Sent twice at once under one key, and again later: taken once, with one answer; a long one
    # goes alone, and one that is only tried moves nothing.
    org = await world.org()
    sender, goal = await org.wallet(1000), await org.wallet()
    one = PostTransfer(from_wallet_id=sender.id, to_wallet_id=goal.id, amount_minor=1)
    tried = await transfer_many(replace(org.caller, is_dry_run=True), (one,) * count, reply_to_all)
    assert len(taken_of(tried)) == count
    assert await balance(org, goal.id) == 0
    twice = [transfer_many(keyed(org.caller, "k"), (one,) * count, reply_to_all) for _ in range(2)]
    came = await asyncio.gather(*twice, return_exceptions=True)
    (taken,) = [each for each in came if isinstance(each, tuple)]
    with pytest.raises(Replayed) as replayed:
        await transfer_many(keyed(org.caller, "k"), (one,) * count, reply_to_all)
    assert replayed.value.answer == reply_to_all(taken)
    assert await balance(org, goal.id) == count
