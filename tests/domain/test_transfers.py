"""The law of transfers: value is conserved, by the table's steps, and never below zero."""

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bursar.domain.change import Change
from bursar.domain.currencies import currency
from bursar.domain.frozen import replace
from bursar.domain.ids import TransferId, WalletId
from bursar.domain.ledger import entry_sums
from bursar.domain.money import AMOUNT_MAX
from bursar.domain.refusals import AmountTooLarge, IllegalTransition, Refusal, WalletClosed
from bursar.domain.transfers import (
    FACTS,
    TRANSITIONS,
    CreditFailure,
    Order,
    Purse,
    Step,
    Till,
    Transfer,
    TransferStatus,
)
from bursar.domain.wallets import Provocation

AT = datetime(2026, 3, 1, tzinfo=UTC)
USD = currency("usd")
WALLETS = [WalletId(f"wal_{number}") for number in range(4)]


def a_purse(wallet_id: WalletId, minor: int = 1000, **terms: object) -> Purse:
    purse = Purse(
        wallet_id=wallet_id, currency=USD, balance_minor=minor, held_minor=0, is_open=True
    )
    return structs.replace(purse, **terms)


def an_order(number: int = 0, *, sender: int = 0, receiver: int = 1, minor: int = 1) -> Order:
    return Order(
        transfer_id=TransferId(f"txn_{number}"),
        from_wallet_id=WALLETS[sender],
        to_wallet_id=WALLETS[receiver],
        amount_minor=minor,
    )


def a_till(*purses: Purse) -> Till:
    return Till({purse.wallet_id: purse for purse in purses}, at=AT, wall=AT, is_sandbox=True)


def row_of(change: Change | None) -> Transfer:
    assert change is not None
    (row,) = change.rows
    assert isinstance(row, Transfer)
    return row


orders = st.builds(
    lambda number, ends, minor, provoked: structs.replace(
        an_order(number, sender=ends[0], receiver=ends[1], minor=minor),
        metadata={"provoke": provoked.value},
    ),
    st.integers(0, 10**6),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.integers(1, 1500),
    st.sampled_from([each for each in Provocation if each is not Provocation.TIME_OUT]),
)


@given(st.lists(orders, max_size=30, unique_by=lambda order: order.transfer_id))
def test_value_is_conserved_and_no_wallet_falls_below_zero(asked: list[Order]) -> None:
    # Whatever is taken, refused, credited or given back, in whatever order.
    till = a_till(*(a_purse(wallet_id) for wallet_id in WALLETS))
    changes = []
    for order in asked:
        try:
            changes.append(till.take(order))
        except Refusal:
            continue
    settled = [till.settle(row_of(change)) for change in changes]
    postings = [
        posting for change in (*changes, *filter(None, settled)) for posting in change.postings
    ]
    sums = {account.code: minor for account, minor in entry_sums(postings).items()}
    assert sums.get("transit", 0) == 0
    assert sum(sums.values()) == 0
    for wallet_id in WALLETS:
        assert 1000 - sums.get(f"wallet:{wallet_id}", 0) >= 0
    for change, after in zip(changes, settled, strict=True):
        end = row_of(after or change)
        assert end.status in {TransferStatus.COMPLETED, TransferStatus.FAILED}
        told = [event.name for event in (*change.events, *(after.events if after else ()))]
        assert told == [FACTS[step.status].name for step in end.history]


@pytest.mark.parametrize(("status", "wanted"), list(product(TransferStatus, TransferStatus)))
def test_every_pair_of_statuses(status: TransferStatus, wanted: TransferStatus) -> None:
    # What the table has is a step, what it has not is refused with what it has.
    debited = row_of(a_till(a_purse(WALLETS[0]), a_purse(WALLETS[1])).take(an_order()))
    transfer = replace(debited, history=(Step(status, AT),))
    if wanted in TRANSITIONS[status]:
        assert transfer.to(wanted, AT).status is wanted
        return
    with pytest.raises(IllegalTransition) as refused:
        transfer.to(wanted, AT)
    assert refused.value.facts["allowedTransitions"] == [*TRANSITIONS[status]]


def test_the_last_cent_can_leave_and_held_value_cannot() -> None:
    # What is held is there and may not be spent.
    till = a_till(a_purse(WALLETS[0], 1000, held_minor=400), a_purse(WALLETS[1]))
    assert row_of(till.take(an_order(minor=600))).status is TransferStatus.COMPLETED
    with pytest.raises(Refusal):
        till.take(an_order(minor=1))


@pytest.mark.parametrize("closed", [0, 1])
def test_a_closed_wallet_takes_no_part(closed: int) -> None:
    # Neither as sender nor as receiver.
    purses = [a_purse(WALLETS[0]), a_purse(WALLETS[1])]
    purses[closed] = structs.replace(purses[closed], is_open=False)
    with pytest.raises(WalletClosed):
        a_till(*purses).take(an_order())


def test_a_wallet_never_holds_more_than_is_exact() -> None:
    # Refused before, and given back when it filled up in between.
    full = a_purse(WALLETS[1], AMOUNT_MAX)
    with pytest.raises(AmountTooLarge):
        a_till(a_purse(WALLETS[0]), full).take(an_order())
    later = structs.replace(an_order(), metadata={"provoke": "later"})
    debited = row_of(a_till(a_purse(WALLETS[0]), a_purse(WALLETS[1])).take(later))
    failed = row_of(a_till(a_purse(WALLETS[0]), full).settle(debited))
    assert (failed.status, failed.failure) == (TransferStatus.FAILED, CreditFailure.WALLET_FULL)


def test_a_wallet_that_closed_in_between_gives_it_back() -> None:
    # The debit was committed; the credit finds nobody.
    later = structs.replace(an_order(), metadata={"provoke": "later"})
    debited = row_of(a_till(a_purse(WALLETS[0]), a_purse(WALLETS[1])).take(later))
    till = a_till(a_purse(WALLETS[0], 999), a_purse(WALLETS[1], 0, is_open=False))
    assert row_of(till.settle(debited)).failure is CreditFailure.WALLET_CLOSED


def test_live_money_is_never_provoked() -> None:
    # There the metadata key is a word like any other.
    purses = {each.wallet_id: each for each in (a_purse(WALLETS[0]), a_purse(WALLETS[1]))}
    till = Till(purses, at=AT, wall=AT, is_sandbox=False)
    done = till.take(structs.replace(an_order(), metadata={"provoke": "refuse"}))
    assert row_of(done).status is TransferStatus.COMPLETED
