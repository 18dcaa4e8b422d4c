"""Many requests in one commit: each answered as if it were alone, under its own name and key."""

import asyncio
from uuid import uuid4

import pytest
from tests.support.world import Org, World

from bursar.domain.access import ApiKey
from bursar.domain.frozen import replace
from bursar.domain.ids import TransferId, WalletId, uuid_of
from bursar.domain.refusals import (
    IdempotencyMismatch,
    InsufficientFunds,
    NotAllowed,
    NotAuthenticated,
)
from bursar.domain.transfers import Transfer
from bursar.flows.transfer_money import transfer_money
from bursar.operations.api_keys import CreateApiKey, RevokeApiKey, create_api_key, revoke_api_key
from bursar.operations.transfers import PostTransfer
from bursar.reads.transfers import transfer as transfer_look
from bursar.reads.wallets import wallet as wallet_look
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer, Idempotency, Replayed


def reply(transfer: Transfer) -> Answer:
    return Answer(201, transfer.id.encode())


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
