"""Payouts: what one organization has of each, booked once and booked back when it fails."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import the, told

from bursar.domain.currencies import currency
from bursar.domain.ledger import Posting, entry_sums
from bursar.domain.money import Money
from bursar.domain.payout_reports import PayoutReport, PayoutStatus, share_of
from bursar.domain.payouts import TRANSITIONS, Payout, open_payout
from bursar.domain.reconciliation import MoveKind, ProviderMove
from bursar.domain.refusals import IllegalTransition
from bursar.domain.shapes.samples_of_payments import a_payout

USD, EUR = currency("usd"), currency("eur")
AT = datetime(2026, 3, 1, tzinfo=UTC)

movements = st.lists(
    st.tuples(
        st.sampled_from([MoveKind.CHARGE, MoveKind.REFUND, MoveKind.DISPUTE]),
        st.integers(-(10**9), 10**9),
        st.integers(0, 10**6),
    ),
    max_size=8,
)


def a_move(kind: MoveKind, amount: int, fee: int, code: str = "usd") -> ProviderMove:
    unit = currency(code)
    return ProviderMove("txn_1", kind, Money(amount, unit), Money(fee, unit), "ch_1", AT)


def a_report(status: PayoutStatus, payout: Payout) -> PayoutReport:
    return PayoutReport(payout.provider_reference, status, payout.amount, AT, payout.arrives_at)


def by_account(*postings: Posting) -> dict[str, int]:
    return {account.code: minor for account, minor in entry_sums(postings).items() if minor}


def test_a_share_is_what_the_movements_make() -> None:
    # 50.00 less 1.75, and 10.00 given back; a dispute's fee was booked before, the payout's own
    # movement and other currencies are nobody's.
    moves = [
        a_move(MoveKind.CHARGE, 5_000, 175),
        a_move(MoveKind.REFUND, -1_000, 0),
        a_move(MoveKind.DISPUTE, -2_000, 1_500),
        a_move(MoveKind.PAYOUT, -4_000, 0),
        a_move(MoveKind.CHARGE, 900, 0, "eur"),
    ]
    report = a_report(PayoutStatus.PAID, a_payout(USD, AT))
    share = share_of(report, moves)
    assert (share.amount.minor, share.fee.minor, share.move_count) == (325, 175, 3)


@given(movements)
def test_what_is_paid_out_leaves_the_processor(drawn: list[tuple[MoveKind, int, int]]) -> None:
    # To the cent, whichever way it goes; and a payout that fails leaves nothing behind.
    moves = [a_move(*each) for each in drawn]
    payout = a_payout(USD, AT)
    share = share_of(a_report(PayoutStatus.PENDING, payout), moves)
    payout = _with(payout, share.amount, share.fee)
    sent = open_payout(payout, AT).postings
    gross = share.amount + share.fee
    assert by_account(*sent).get("processor:sandbox", 0) == -gross.minor
    assert by_account(*sent).get("bank", 0) == share.amount.minor
    assert by_account(*sent).get("fees", 0) == share.fee.minor
    failed = payout.follow(a_report(PayoutStatus.FAILED, payout), AT)
    assert failed is not None
    assert by_account(*sent, *failed.postings) == {}


def _with(payout: Payout, amount: Money, fee: Money) -> Payout:
    fields = {name: getattr(payout, name) for name in payout.__struct_fields__}
    return Payout(**(fields | {"amount": amount, "fee": fee}))


def test_a_payout_tells_each_step_once() -> None:
    # On its way, arrived, sent back; a report that is older or the same says nothing.
    payout = a_payout(USD, AT)
    names = []
    for status in (PayoutStatus.IN_TRANSIT, PayoutStatus.PAID, PayoutStatus.FAILED):
        change = payout.follow(a_report(status, payout), AT)
        assert change is not None
        names += told(change)
        payout = the(Payout, change)
        assert payout.follow(a_report(status, payout), AT) is None
    assert names == ["payout.updated", "payout.paid", "payout.failed"]
    assert payout.follow(a_report(PayoutStatus.PAID, payout), AT) is None


@pytest.mark.parametrize("status", PayoutStatus)
def test_a_payout_steps_only_along_its_table(status: PayoutStatus) -> None:
    # Every other step is refused.
    payout = a_payout(USD, AT)
    if status in TRANSITIONS[payout.status]:
        assert payout.to(status).status is status
        return
    with pytest.raises(IllegalTransition):
        payout.to(status)
