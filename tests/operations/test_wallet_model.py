"""Wallets live beside a model in plain Python: after every step balances and histories are equal.

A step may die before or after its commit and is then sent again under its key, and any may be sent
once more: it must have been done once. `make proof` runs 100 lives of 50 steps, `make deep` 500.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from tests.flows.crash_lane import quiet
from tests.operations.wallet_model import DONE, Account, transfer
from tests.support.world import Org, World

from bursar.domain.frozen import replace
from bursar.domain.ids import HoldId, WalletId
from bursar.domain.paging import Page
from bursar.domain.refusals import Refusal
from bursar.domain.transfers import Transfer
from bursar.domain.wallets import Provocation, WalletStatus
from bursar.flows.deposit_money import deposit_money
from bursar.operations.holds import (
    CaptureHold,
    CreateHold,
    SettleHold,
    capture_hold,
    create_hold,
    release_hold,
)
from bursar.operations.transfers import PostTransfer, SettleTransfer, post_transfer, settle_transfer
from bursar.operations.wallets import (
    CloseWallet,
    CreateWallet,
    WithdrawMoney,
    close_wallet,
    create_wallet,
    withdraw_money,
)
from bursar.reads.verify import checks
from bursar.reads.wallets import WalletFilters, wallet_history
from bursar.reads.wallets import wallets as wallets_look
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer, Replayed

STEPS = 50
LIVES_QUICK = 12
LIVES_PROOF = 100
LIVES_DEEP = 500
FIRST = 200

Result = TypeVar("Result")
Act = Callable[[Caller], Awaitable[Any]]


class Crash(Exception):
    """The request dies here."""


@dataclass
class Stage:
    """An organization to live in, and the loop that its database belongs to."""

    org: Org
    loop: asyncio.AbstractEventLoop
    steps: int = 0
    crashes: int = 0
    refusals: dict[str, int] = field(default_factory=dict)

    def run(self, act: Coroutine[Any, Any, Result]) -> Result:
        """Wait, in Hypothesis' thread, for what happens on the loop."""
        return asyncio.run_coroutine_threadsafe(act, self.loop).result(timeout=60)

    async def begin(self, provoked: Provocation) -> WalletId:
        """A wallet that begins with something in it."""
        command = CreateWallet(name="Life", provoke_credit=provoked)
        made = await self.org.caller.run(create_wallet, command)
        await self.org.deposit(made.id, FIRST)
        return made.id

    async def once(self, act: Act, crash: str | None, *, is_repeated: bool) -> str:
        """Send a request until it is answered; what it made, or the reason of its refusal."""
        caller, found = self.org.with_key(), ""

        async def checkpoint(point: str) -> None:
            if crash is not None and point.endswith(crash):
                raise Crash

        try:
            dying = replace(caller, app=replace(caller.app, checkpoint=checkpoint))
            found = await _said(act, dying)
        except Crash:
            self.crashes += 1
            await caller.release()
            found = await _said(act, caller)
        if is_repeated:
            assert await _said(act, caller) == found, "a repetition is answered the same"
        return found


async def _said(act: Act, caller: Caller) -> str:
    try:
        return f"{DONE} {(await act(caller)).id}"
    except Replayed as kept:
        return f"{DONE} {kept.answer.body.decode()}"
    except Refusal as refused:
        return refused.reason


def _answer(made: Any) -> Answer:
    return Answer(200, made.id.encode())


def _final(made: Transfer) -> Answer | None:
    return None if made.is_open else _answer(made)


crashes = st.sampled_from([None, None, None, "before_commit", "after_commit"])
amounts = st.integers(1, 60) | st.sampled_from([1, 50, 100, 1_000])
some = st.integers(0, 10**6)


class Wallets(RuleBasedStateMachine):
    """Everything that may happen to a few wallets."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[WalletId, Account] = {}
        self.holds: list[tuple[WalletId, str]] = []
        self.compared: dict[WalletId, int] = {}
        for refuses in (False, False, True):
            self.open(refuses=refuses)

    def open(self, *, refuses: bool) -> None:
        """Another wallet, with something in it, so that not all of them close at once."""
        provoked = Provocation.REFUSE if refuses else Provocation.NONE
        made = self.stage.run(self.stage.begin(provoked))
        self.model[made] = Account(refuses=refuses)
        self.model[made].deposit(FIRST)

    def one(self, number: int) -> tuple[WalletId, Account]:
        wallet_id = list(self.model)[number % len(self.model)]
        return wallet_id, self.model[wallet_id]

    def step(self, expected: str, act: Act, crash: str | None, *, is_repeated: bool) -> str:
        """One request; what it says must be what the model says. Gives the id of what it made."""
        said = self.stage.run(self.stage.once(act, crash, is_repeated=is_repeated))
        assert said.partition(" ")[0] == expected
        self.stage.steps += 1
        self.stage.refusals[expected] = self.stage.refusals.get(expected, 0) + 1
        self.stage.run(self.compare())
        return said.partition(" ")[2]

    async def compare(self) -> None:
        """Every wallet: balance, what is available, its state; and each history that has grown."""
        caller = self.stage.org.caller
        newest = await caller.look(wallets_look, Page(size=len(self.model)), WalletFilters())
        assert {each.id for each in newest.items} == set(self.model)
        for seen in newest.items:
            account = self.model[seen.id]
            assert seen.balance.minor == account.balance
            assert seen.available.minor == account.available >= 0
            assert (seen.status is WalletStatus.CLOSED) == account.is_closed
            if len(account.lines) == self.compared.get(seen.id):
                continue
            shown = await caller.look(wallet_history, seen.id, Page(size=100))
            lines = [(each.kind, each.amount.minor, each.balance.minor) for each in shown.items]
            assert lines == account.lines[::-1][:100]
            self.compared[seen.id] = len(account.lines)

    @rule(number=some, cents=amounts, crash=crashes, again=st.booleans())
    def deposit(self, number: int, cents: int, crash: str | None, again: bool) -> None:
        wallet_id, account = self.one(number)
        command = self.stage.org.filling(wallet_id, cents)

        async def act(caller: Caller) -> Any:
            made = await deposit_money(caller, command, lambda each: _answer(each.wallet))
            return made.wallet

        self.step(account.deposit(cents), act, crash, is_repeated=again)

    @rule(number=some, cents=amounts, crash=crashes, again=st.booleans())
    def withdraw(self, number: int, cents: int, crash: str | None, again: bool) -> None:
        wallet_id, account = self.one(number)
        command = WithdrawMoney(wallet_id=wallet_id, amount_minor=cents)

        async def act(caller: Caller) -> Any:
            return await caller.run(withdraw_money, command, answer=_answer)

        self.step(account.withdraw(cents), act, crash, is_repeated=again)

    @rule(source=some, goal=some, cents=amounts, crash=crashes, again=st.booleans())
    def transfer(self, source: int, goal: int, cents: int, crash: str | None, again: bool) -> None:
        (from_id, sender), (to_id, receiver) = self.one(source), self.one(goal)
        command = PostTransfer(from_wallet_id=from_id, to_wallet_id=to_id, amount_minor=cents)

        async def act(caller: Caller) -> Any:
            taken = await caller.run(post_transfer, command, answer=_final)
            if not taken.is_open:
                return taken
            return await caller.run(settle_transfer, SettleTransfer(taken.id), answer=_answer)

        self.step(transfer(sender, receiver, cents), act, crash, is_repeated=again)

    @rule(number=some, cents=amounts, crash=crashes, again=st.booleans())
    def hold(self, number: int, cents: int, crash: str | None, again: bool) -> None:
        wallet_id, account = self.one(number)
        command = CreateHold(wallet_id=wallet_id, amount_minor=cents)
        expected = account.hold(cents)

        async def act(caller: Caller) -> Any:
            return await caller.run(create_hold, command, answer=_answer)

        # The envelope has the name that the hold was given, so it is written down when it is known.
        said = self.stage.run(self.stage.once(act, crash, is_repeated=again))
        assert said.partition(" ")[0] == expected
        if expected == DONE:
            name = said.partition(" ")[2]
            account.envelopes[name] = cents
            self.holds.append((wallet_id, name))
        self.stage.steps += 1
        self.stage.run(self.compare())

    @rule(number=some, cents=amounts, crash=crashes, again=st.booleans())
    def capture(self, number: int, cents: int, crash: str | None, again: bool) -> None:
        if not self.holds:
            return
        wallet_id, name = self.holds[number % len(self.holds)]
        expected = self.captured(self.model[wallet_id], name, cents)
        command = CaptureHold(HoldId(name), cents)

        async def act(caller: Caller) -> Any:
            return await caller.run(capture_hold, command, answer=_answer)

        # What is over is refused however often; what was done is answered from the key.
        self.step(expected, act, crash, is_repeated=again)

    def captured(self, account: Account, name: str, cents: int) -> str:
        return account.capture(name, cents)

    @rule(number=some, crash=crashes, again=st.booleans())
    def release(self, number: int, crash: str | None, again: bool) -> None:
        if not self.holds:
            return
        wallet_id, name = self.holds[number % len(self.holds)]

        async def act(caller: Caller) -> Any:
            return await caller.run(release_hold, SettleHold(HoldId(name)), answer=_answer)

        self.step(self.model[wallet_id].release(name), act, crash, is_repeated=again)

    @rule(number=some, crash=crashes, again=st.booleans())
    def close(self, number: int, crash: str | None, again: bool) -> None:
        wallet_id, account = self.one(number)

        async def act(caller: Caller) -> Any:
            return await caller.run(close_wallet, CloseWallet(wallet_id), answer=_answer)

        expected = account.close()
        self.step(expected, act, crash, is_repeated=again)
        if expected == DONE:
            self.open(refuses=account.refuses)


async def live(world: World, lives: int, kind: type[Wallets] = Wallets) -> Stage:
    """So many lives of up to fifty steps; Hypothesis runs in a thread of its own."""
    stage = Stage(await world.org(), asyncio.get_running_loop())
    machine = type("Lives", (kind,), {"stage": stage})
    wanted = settings(
        max_examples=lives,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    with quiet():
        await asyncio.to_thread(run_state_machine_as_test, machine, settings=wanted)
    return stage


async def green(world: World, stage: Stage) -> list[str]:
    found = await world.operator(stage.org.id).look(checks)
    return [f"{each.name}: {each.offenders}" for each in found if not each.is_good]


async def test_wallets_are_what_the_model_says(world: World) -> None:
    # A short walk with every run; crashes and refusals are really met.
    stage = await live(world, LIVES_QUICK)
    assert await green(world, stage) == []
    assert stage.crashes > 10
    assert {"insufficient_funds", "illegal_transition"} <= stage.refusals.keys()


class Forgetful(Wallets):
    """A model that forgets to give the rest of a captured hold back."""

    def captured(self, account: Account, name: str, cents: int) -> str:
        held = account.envelopes.get(name, 0)
        said = super().captured(account, name, cents)
        if said == DONE and held > cents:
            account.envelopes["lost"] = held - cents
        return said


async def test_the_comparison_sees_a_wrong_book(world: World) -> None:
    # A model that keeps what it should give back is told apart from the real thing.
    with pytest.raises(AssertionError):
        await live(world, LIVES_DEEP, Forgetful)


async def live_at_length(world: World, lives: int) -> None:
    """Many lives with their books, and what happened in them in lines a person reads."""
    stage = await live(world, lives)
    assert await green(world, stage) == []
    print(
        f"\nwallet lives   {lives} of {STEPS} steps: {stage.steps} moves, {stage.crashes} crashes"
    )
    print(f"               {stage.refusals}")


@pytest.mark.proof
async def test_wallets_are_what_the_model_says_proof(world: World) -> None:
    # A hundred lives of fifty steps.
    await live_at_length(world, LIVES_PROOF)


@pytest.mark.deep
async def test_wallets_are_what_the_model_says_deep(world: World) -> None:
    # Five hundred of them.
    await live_at_length(world, LIVES_DEEP)
