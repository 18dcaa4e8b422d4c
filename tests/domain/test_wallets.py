"""What may happen to a wallet and to a hold, and what each of it books."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import AT, LATER, USD, the, told

from bursar.domain import chart, holds, refusals, wallets
from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.change import Change
from bursar.domain.currencies import currency
from bursar.domain.frozen import replace
from bursar.domain.holds import HELD_FOR_MAX, Hold, HoldStatus, authorize
from bursar.domain.money import AMOUNT_MAX, Money
from bursar.domain.refusals import (
    AmountTooLarge,
    HoldOverdue,
    IllegalTransition,
    InsufficientFunds,
    InvalidInput,
    StillInUse,
    WrongCurrency,
)
from bursar.domain.shapes import samples
from bursar.domain.wallets import Provocation, Wallet, WalletStatus, open_wallet, outside

BANK = chart.bank(USD)
amounts = st.integers(1, AMOUNT_MAX)


def usd(minor: int) -> Money:
    return Money(minor, USD)


def a_wallet(balance: int = 0, held: int = 0) -> Wallet:
    return replace(samples.WALLET, balance=usd(balance), held=usd(held))


def a_closed_wallet() -> Wallet:
    return the(Wallet, a_wallet().close(AT, open_deposits=0))


def a_hold(amount: int = 100) -> Hold:
    return replace(samples.HOLD, amount=usd(amount))


def moved(change: Change, wallet: Wallet) -> int:
    """What a change books on the wallet's account, on its natural side."""
    account = chart.wallet(wallet.id, wallet.currency)
    entries = [each for posting in change.postings for each in posting.entries]
    return -sum(each.amount.minor for each in entries if each.account == account)


@given(st.integers(0, AMOUNT_MAX), amounts)
def test_a_deposit_adds_exactly_itself_or_is_too_large(balance: int, amount: int) -> None:
    # Balance, posting and event agree; nothing ever leaves the range of exact amounts.
    wallet = a_wallet(balance)
    if balance + amount > AMOUNT_MAX:
        with pytest.raises(AmountTooLarge):
            wallet.deposit(usd(amount), AT)
        return
    change = wallet.deposit(usd(amount), AT)
    after = the(Wallet, change)
    assert after.balance.minor == balance + amount
    assert moved(change, wallet) == amount
    assert (told(change), after.version) == (["wallet.deposited"], wallet.version + 1)


@given(st.integers(0, AMOUNT_MAX), st.data(), amounts)
def test_only_what_is_available_can_go(balance: int, data: st.DataObject, amount: int) -> None:
    # What open holds set aside stays; the refusal says how much there is.
    held = data.draw(st.integers(0, balance))
    wallet = a_wallet(balance, held)
    if amount > balance - held:
        with pytest.raises(InsufficientFunds) as refused:
            wallet.withdraw(usd(amount), AT, goal=BANK)
        assert refused.value.facts["availableCents"] == balance - held
        return
    change = wallet.withdraw(usd(amount), AT, goal=BANK)
    after = the(Wallet, change)
    assert after.available.minor == balance - held - amount >= 0
    assert moved(change, wallet) == -amount


def test_each_move_of_a_wallet_names_another_cause() -> None:
    # A posting is unique by move and cause, so two deposits must not share one.
    first = a_wallet().deposit(usd(1), AT)
    second = the(Wallet, first).deposit(usd(1), AT)
    assert first.postings[0].key != second.postings[0].key


@pytest.mark.parametrize(("before", "after"), [*product(WalletStatus, WalletStatus)])
def test_a_wallets_states(before: WalletStatus, after: WalletStatus) -> None:
    # Every pair is allowed or refused by the table.
    wallet = replace(a_wallet(), status=before)
    if after in wallets.TRANSITIONS[before]:
        assert wallet.to(after).status is after
        return
    with pytest.raises(IllegalTransition):
        wallet.to(after)


@pytest.mark.parametrize(("before", "after"), [*product(HoldStatus, HoldStatus)])
def test_a_holds_states(before: HoldStatus, after: HoldStatus) -> None:
    # Every pair is allowed or refused by the table.
    hold = replace(a_hold(), status=before)
    if after in holds.TRANSITIONS[before]:
        assert hold.to(after).status is after
        return
    with pytest.raises(IllegalTransition):
        hold.to(after)


def test_only_an_empty_wallet_closes_and_a_closed_one_takes_no_part() -> None:
    # Not with a balance, not while a deposit is on its way, not twice.
    for wallet, waiting in ((a_wallet(1), 0), (a_wallet(5, 5), 0), (a_wallet(), 1)):
        with pytest.raises(StillInUse):
            wallet.close(AT, open_deposits=waiting)
    closed = a_closed_wallet()
    assert (closed.status, closed.closed_at) == (WalletStatus.CLOSED, AT)
    with pytest.raises(IllegalTransition):
        closed.close(AT, open_deposits=0)
    acts: list[Callable[[], object]] = [
        lambda: closed.deposit(usd(1), AT),
        lambda: closed.withdraw(usd(1), AT, goal=BANK),
        lambda: authorize(a_hold(), closed, wall=AT),
    ]
    for act in acts:
        with pytest.raises(refusals.WalletClosed):
            act()


def test_money_that_came_late_opens_a_closed_wallet() -> None:
    # It is never dropped; the log says both what happened to the wallet and to the money.
    opened, events = a_closed_wallet().receive(usd(700))
    assert (opened.status, opened.closed_at, opened.balance) == (WalletStatus.OPEN, None, usd(700))
    assert [event.name for event in events] == ["wallet.reopened", "wallet.deposited"]
    after, events = a_wallet(300).receive(usd(700))
    assert (after.balance, [event.name for event in events]) == (usd(1000), ["wallet.deposited"])


def test_nothing_is_ever_exchanged() -> None:
    # Another currency is refused and the field named.
    yen = Money(5, currency("jpy"))
    acts: list[Callable[[], object]] = [
        lambda: a_wallet(10).deposit(yen, AT),
        lambda: a_wallet(10).withdraw(yen, AT, goal=chart.bank(yen.currency)),
        lambda: wallets.require_currency(yen.currency, USD, holder="Wallet"),
    ]
    for act in acts:
        with pytest.raises(WrongCurrency) as refused:
            act()
        assert [each.field for each in refused.value.details] == ["currency"]
    wallets.require_currency(None, USD, holder="Wallet")


def test_only_a_sandbox_provokes_failures() -> None:
    # Where money is real no transfer fails on purpose.
    failing = replace(a_wallet(), provoke_credit=Provocation.REFUSE)
    assert told(open_wallet(failing, is_sandbox=True)) == ["wallet.created"]
    with pytest.raises(InvalidInput):
        open_wallet(failing, is_sandbox=False)
    with pytest.raises(InvalidInput):
        a_wallet().edit(failing, is_sandbox=False)
    assert a_wallet().edit(a_wallet(), is_sandbox=False) is None


def test_where_money_goes_that_leaves() -> None:
    # A sandbox has no bank.
    assert outside(USD, is_sandbox=True).code == "external"
    assert outside(USD, is_sandbox=False).code == "bank"


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_capture_takes_what_was_held_at_most(held: int, amount: int) -> None:
    # It posts what it takes, once; more than it holds is refused and names the field.
    hold, wallet = a_hold(held), a_wallet(held, held)
    if amount > held:
        with pytest.raises(InvalidInput) as refused:
            hold.capture(wallet, usd(amount), AT, goal=BANK)
        assert [each.field for each in refused.value.details] == ["amountCents"]
        return
    change = hold.capture(wallet, usd(amount), AT, goal=BANK)
    after = the(Hold, change)
    assert (after.status, after.captured, after.amount) == (
        HoldStatus.CAPTURED,
        usd(amount),
        usd(held),
    )
    assert moved(change, wallet) == -amount
    assert change.agenda == (Undue(DueKind.EXPIRE_HOLD, hold.id),)


def test_a_hold_is_authorized_against_what_is_available() -> None:
    # It books nothing and is due at its end.
    change = authorize(a_hold(100), a_wallet(150, 50), wall=AT)
    assert (change.postings, told(change)) == ((), ["hold.created"])
    assert change.agenda == (Due(DueKind.EXPIRE_HOLD, samples.HOLD.id, samples.HOLD.expires_at),)
    with pytest.raises(InsufficientFunds):
        authorize(a_hold(101), a_wallet(150, 50), wall=AT)


@pytest.mark.parametrize("ahead", [timedelta(0), -timedelta(seconds=1), HELD_FOR_MAX * 2])
def test_a_hold_lasts_for_a_time_that_makes_sense(ahead: timedelta) -> None:
    # In the future, and a year at most.
    with pytest.raises(InvalidInput) as refused:
        authorize(replace(a_hold(), expires_at=AT + ahead), a_wallet(100), wall=AT)
    assert [each.field for each in refused.value.details] == ["expiresAt"]


def test_a_holds_time_runs_on_the_wall_clock() -> None:
    # Before it nothing expires; after it nothing is captured, even if nobody has noticed yet.
    hold = a_hold()
    over = hold.expires_at
    assert hold.expire(AT, wall=over - timedelta(seconds=1)) is None
    expired = the(Hold, hold.expire(LATER, wall=over))
    assert (expired.status, expired.settled_at) == (HoldStatus.EXPIRED, LATER)
    assert expired.expire(LATER, wall=over) is None
    hold.require_in_time(over - timedelta(seconds=1))
    with pytest.raises(HoldOverdue):
        hold.require_in_time(over)
    with pytest.raises(IllegalTransition):
        expired.release(LATER)
