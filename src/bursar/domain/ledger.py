"""Double entry: a posting moves amounts between accounts and sums to zero per currency.

Entries are signed, debit positive and credit negative, whatever the account. A balance is told on
the account's natural side: debit for assets and expenses, credit for liabilities, equity and
revenue, so a customer's credit of 5.00 is `-500` in entries and `500` as a balance. A strict
account has a floor on that natural balance; one without is folded: nothing checks it while it is
busy, and its balance is the last fold plus the entries since. A posting is never changed: what was
wrong is reversed by a posting that names it. Refuses, by construction, one that does not balance.
"""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Final, Self

from msgspec import Struct

from bursar.domain.currencies import Currency
from bursar.domain.ids import AccountId, LedgerTransactionId
from bursar.domain.money import AMOUNT_MAX, CurrencyMismatch, Money
from bursar.domain.times import Instant

_CODE: Final = re.compile(r"[a-z][a-z_]{0,30}(?::[A-Za-z0-9_.-]{1,80})?")
_NAME: Final = re.compile(r"[a-z][a-z_]{0,62}")
_SOURCE_LENGTH_MAX: Final = 200
_ENTRIES_MIN: Final = 2


class Unbalanced(ValueError):
    """The entries do not make a posting: they do not sum to zero, or one is empty or repeated."""


class AccountKind(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    REVENUE = "revenue"
    EXPENSE = "expense"
    CONTRA_REVENUE = "contra_revenue"


DEBIT_NATURED: Final = frozenset(
    {AccountKind.ASSET, AccountKind.EXPENSE, AccountKind.CONTRA_REVENUE}
)


class Account(Struct, frozen=True):
    """A place amounts rest in, one per code and currency within an organization."""

    code: str
    kind: AccountKind
    currency: Currency
    floor_minor: int | None = None

    def __post_init__(self) -> None:
        if _CODE.fullmatch(self.code) is None:
            raise ValueError(f"not an account code: {self.code!r}")
        assert self.floor_minor is None or abs(self.floor_minor) <= AMOUNT_MAX

    @property
    def is_strict(self) -> bool:
        return self.floor_minor is not None

    @property
    def natural_sign(self) -> int:
        """What turns a sum of entries into this account's balance: 1 or −1."""
        return 1 if self.kind in DEBIT_NATURED else -1

    def balance(self, entry_sum: Money) -> Money:
        """The balance on the natural side, from the signed sum of entries."""
        if entry_sum.currency != self.currency:
            raise CurrencyMismatch(f"{self.code} holds {self.currency}, not {entry_sum.currency}")
        return entry_sum * self.natural_sign

    def permits(self, entry_sum: Money) -> bool:
        """Whether the balance that this sum of entries makes is at or above the floor."""
        return self.floor_minor is None or self.balance(entry_sum).minor >= self.floor_minor


class Entry(Struct, frozen=True):
    """One account's part of a posting: debit positive, credit negative."""

    account: Account
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.currency != self.account.currency:
            raise CurrencyMismatch(
                f"{self.account.code} holds {self.account.currency}, not {self.amount.currency}"
            )

    @classmethod
    def debit(cls, account: Account, amount: Money) -> Self:
        return cls(account, amount)

    @classmethod
    def credit(cls, account: Account, amount: Money) -> Self:
        return cls(account, -amount)


class Posting(Struct, frozen=True):
    """One accounting move. `kind` and `source_id` together are unique in an organization.

    `corrects` is the `key` of the posting this one puts right.
    """

    kind: str
    source_id: str
    occurred_at: Instant
    entries: tuple[Entry, ...]
    corrects: str | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.kind) is None:
            raise ValueError(f"not the name of a move: {self.kind!r}")
        if not 0 < len(self.source_id) <= _SOURCE_LENGTH_MAX:
            raise ValueError("a posting names what caused it")
        if self.occurred_at.utcoffset() != timedelta(0):
            raise ValueError("a posting happened at an instant in UTC")
        _require_balance(self.entries)

    @property
    def key(self) -> str:
        """What makes a second posting of the same move impossible: `invoice_finalized/inv_…`."""
        return f"{self.kind}/{self.source_id}"

    def reversed(self, kind: str, *, source_id: str, occurred_at: Instant) -> "Posting":
        """The posting that undoes this one, entry by entry, and names it."""
        return Posting(
            kind=kind,
            source_id=source_id,
            occurred_at=occurred_at,
            entries=tuple(Entry(entry.account, -entry.amount) for entry in self.entries),
            corrects=self.key,
            description=f"Reverses {self.key}",
        )


class BookedEntry(Struct, frozen=True):
    """One account's part of a posting in the books: debit positive, credit negative."""

    account_code: str
    amount: Money


class BookedPosting(Struct, frozen=True):
    """A posting as the books keep it. `corrects` is the id of the posting that it puts right."""

    id: LedgerTransactionId
    kind: str
    source_id: str
    description: str
    occurred_at: Instant
    recorded_at: Instant
    corrects: LedgerTransactionId | None
    entries: tuple[BookedEntry, ...]


class AccountBalance(Struct, frozen=True):
    """An account with the signed sum of its entries."""

    id: AccountId
    account: Account
    entry_sum: Money
    created_at: Instant

    @property
    def balance(self) -> Money:
        """What the account holds, on its natural side."""
        return self.account.balance(self.entry_sum)


class StatementLine(Struct, frozen=True):
    """One posting as an account sees it: amount and balance after it, on its natural side."""

    id: LedgerTransactionId
    kind: str
    source_id: str
    description: str
    amount: Money
    balance: Money
    occurred_at: Instant
    recorded_at: Instant


def entry_sums(postings: Iterable[Posting]) -> dict[Account, int]:
    """Signed minor units per account over many postings: a trial balance in the making."""
    sums: Counter[Account] = Counter()
    for posting in postings:
        for entry in posting.entries:
            sums[entry.account] += entry.amount.minor
    return dict(sums)


def _require_balance(entries: tuple[Entry, ...]) -> None:
    if len(entries) < _ENTRIES_MIN:
        raise Unbalanced("a posting has at least two entries")
    sums: Counter[Currency] = Counter()
    for entry in entries:
        if entry.amount.is_zero:
            raise Unbalanced(f"the entry on {entry.account.code} moves nothing")
        sums[entry.amount.currency] += entry.amount.minor
    # Two entries on one account would meet in one UPDATE of its balance row, and one would be lost.
    places = {(entry.account.code, entry.account.currency) for entry in entries}
    if len(places) != len(entries):
        raise Unbalanced("an account has one entry in a posting")
    uneven = sorted(currency for currency, minor in sums.items() if minor)
    if uneven:
        raise Unbalanced(f"the entries do not sum to zero in {', '.join(uneven)}")
