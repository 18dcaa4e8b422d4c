"""A posting balances by construction; balances are told on the natural side."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.currencies import EXPONENTS, Currency, currency
from bursar.domain.ledger import Account, AccountKind, Entry, Posting, Unbalanced, entry_sums
from bursar.domain.money import CurrencyMismatch, Money

USD, JPY = currency("usd"), currency("jpy")
AT = datetime(2026, 3, 1, tzinfo=UTC)
CASH = Account("bank", AccountKind.ASSET, USD)
SALES = Account("revenue", AccountKind.REVENUE, USD)
CREDIT = Account("credit:cust_1", AccountKind.LIABILITY, USD, floor_minor=0)


def posting(*entries: Entry, **changes: Any) -> Posting:
    fields: dict[str, Any] = {"kind": "sale", "source_id": "inv_1", "occurred_at": AT}
    return Posting(**{**fields, "entries": entries, **changes})


def pair(minor: int) -> tuple[Entry, Entry]:
    return Entry.debit(CASH, Money(minor, USD)), Entry.credit(SALES, Money(minor, USD))


@st.composite
def balanced(draw: st.DrawFn) -> tuple[Entry, ...]:
    """Entries over one to three currencies that sum to zero in each."""
    entries: list[Entry] = []
    for code in draw(
        st.lists(st.sampled_from(sorted(EXPONENTS)), min_size=1, max_size=3, unique=True)
    ):
        minors = draw(st.lists(st.integers(1, 10**9), min_size=1, max_size=6))
        entries += [_entry(f"fees:{at}", code, minor) for at, minor in enumerate(minors)]
        entries.append(_entry("bank", code, -sum(minors)))
    return tuple(draw(st.permutations(entries)))


def _entry(code: str, money_code: Currency, minor: int) -> Entry:
    return Entry(Account(code, AccountKind.ASSET, money_code), Money(minor, money_code))


@given(balanced())
def test_what_sums_to_zero_in_each_currency_is_a_posting(entries: tuple[Entry, ...]) -> None:
    # And its reverse undoes it on every account.
    first = posting(*entries)
    second = first.reversed("sale_undone", source_id="inv_1", occurred_at=AT + timedelta(days=1))
    assert set(entry_sums([first, second]).values()) == {0}
    assert second.corrects == first.key == "sale/inv_1"
    assert second.reversed("sale", source_id="x", occurred_at=AT).entries == first.entries


@given(balanced(), st.integers(1, 10**6), st.booleans())
def test_one_unit_off_is_refused(entries: tuple[Entry, ...], off: int, up: bool) -> None:
    # Whatever the entry and the direction, the constructor sees it.
    first, *rest = entries
    moved = Money(first.amount.minor + (off if up else -off), first.account.currency)
    with pytest.raises(Unbalanced):
        posting(Entry(first.account, moved), *rest)


def test_currencies_do_not_make_up_for_each_other() -> None:
    # A debit of 100 yen is no match for a credit of 100 cents.
    with pytest.raises(Unbalanced, match="jpy, usd"):
        posting(_entry("bank", JPY, 100), _entry("bank", USD, -100))


def test_a_posting_has_two_entries_that_move_something() -> None:
    # None, one, or an empty one beside a balanced pair is no posting.
    for entries in ((), (Entry(CASH, Money(0, USD)),), (*pair(5), Entry(CREDIT, Money(0, USD)))):
        with pytest.raises(Unbalanced):
            posting(*entries)


def test_an_account_has_one_entry_in_a_posting() -> None:
    # Two would meet in one UPDATE of the balance row and one would be lost.
    with pytest.raises(Unbalanced, match="one entry"):
        posting(*pair(5), *pair(7))


def test_an_entry_is_in_its_accounts_currency() -> None:
    # Dollars never rest on a yen account.
    with pytest.raises(CurrencyMismatch):
        Entry(CASH, Money(1, JPY))
    with pytest.raises(CurrencyMismatch):
        CASH.balance(Money(1, JPY))


def test_balances_are_told_on_the_natural_side() -> None:
    # Debit for assets and expenses, credit for the rest.
    signs = {kind: Account("x", kind, USD).natural_sign for kind in AccountKind}
    assert signs == {
        AccountKind.ASSET: 1,
        AccountKind.EXPENSE: 1,
        AccountKind.CONTRA_REVENUE: 1,
        AccountKind.LIABILITY: -1,
        AccountKind.EQUITY: -1,
        AccountKind.REVENUE: -1,
    }
    assert CREDIT.balance(Money(-500, USD)) == Money(500, USD)


@pytest.mark.parametrize(("entry_sum", "allowed"), [(-1, True), (0, True), (1, False)])
def test_a_strict_account_stops_at_its_floor(entry_sum: int, allowed: bool) -> None:
    # A customer's credit may be used up, not overdrawn; a folded account has no floor.
    assert CREDIT.permits(Money(entry_sum, USD)) is allowed
    assert CREDIT.is_strict
    assert not SALES.is_strict
    assert SALES.permits(Money(10**9, USD))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": ""},
        {"kind": "Sale"},
        {"kind": "a/b"},
        {"source_id": ""},
        {"source_id": "x" * 201},
        {"occurred_at": AT.replace(tzinfo=None)},
        {"occurred_at": AT.astimezone(timezone(timedelta(hours=1)))},
    ],
)
def test_a_posting_says_what_caused_it_and_when(changes: dict[str, Any]) -> None:
    # No nameless move, no source, no local time.
    with pytest.raises(ValueError, match=r"posting|move"):
        posting(*pair(5), **changes)


@pytest.mark.parametrize("code", ["", "Bank", "bank:", "bank:a b", "bank:a:b", "bank\n", ":x"])
def test_an_account_code_has_one_shape(code: str) -> None:
    # A word, and at most one key after a colon.
    with pytest.raises(ValueError, match="not an account code"):
        Account(code, AccountKind.ASSET, USD)
