"""The books as the world sees them: accounts with balances, postings with entries, and the proof.

A balance is told on the account's natural side; an entry is signed, debit positive.
"""

from collections.abc import Iterable
from typing import Literal

from bursar.domain.ledger import (
    AccountBalance,
    AccountKind,
    BookedEntry,
    BookedPosting,
    StatementLine,
)
from bursar.domain.shapes.fields import Cents, Shape, WireInstant
from bursar.domain.times import wire_instant


class AccountOut(Shape, frozen=True, kw_only=True):
    """One account and what it holds."""

    id: str
    object: Literal["ledger_account"] = "ledger_account"
    code: str
    kind: AccountKind
    currency: str
    balance_cents: Cents
    created_at: WireInstant

    @classmethod
    def of(cls, held: AccountBalance) -> "AccountOut":
        """The account's shape."""
        return cls(
            id=held.id,
            code=held.account.code,
            kind=held.account.kind,
            currency=held.account.currency,
            balance_cents=held.balance.minor,
            created_at=wire_instant(held.created_at),
        )


class EntryOut(Shape, frozen=True, kw_only=True):
    """One account's part of a posting: above zero a debit, below zero a credit."""

    account: str
    amount_cents: Cents
    currency: str

    @classmethod
    def of(cls, entry: BookedEntry) -> "EntryOut":
        """The entry's shape."""
        return cls(
            account=entry.account_code,
            amount_cents=entry.amount.minor,
            currency=entry.amount.currency,
        )


class PostingOut(Shape, frozen=True, kw_only=True):
    """One accounting move: what caused it, and entries that sum to zero."""

    id: str
    object: Literal["ledger_posting"] = "ledger_posting"
    kind: str
    source_id: str
    description: str
    corrects_id: str | None
    entries: tuple[EntryOut, ...]
    occurred_at: WireInstant
    recorded_at: WireInstant

    @classmethod
    def of(cls, posting: BookedPosting) -> "PostingOut":
        """The posting's shape."""
        return cls(
            id=posting.id,
            kind=posting.kind,
            source_id=posting.source_id,
            description=posting.description,
            corrects_id=posting.corrects,
            entries=tuple(EntryOut.of(entry) for entry in posting.entries),
            occurred_at=wire_instant(posting.occurred_at),
            recorded_at=wire_instant(posting.recorded_at),
        )


class TrialBalanceRowOut(Shape, frozen=True, kw_only=True):
    """One account's line: its sum stands on the side it is on."""

    account: str
    kind: AccountKind
    debit_cents: Cents
    credit_cents: Cents


class TrialBalanceOut(Shape, frozen=True, kw_only=True):
    """All accounts of one currency. The two totals are equal, or something is very wrong."""

    object: Literal["trial_balance"] = "trial_balance"
    currency: str
    rows: tuple[TrialBalanceRowOut, ...]
    debit_cents: Cents
    credit_cents: Cents
    is_balanced: bool

    @classmethod
    def of(cls, held: Iterable[AccountBalance]) -> "tuple[TrialBalanceOut, ...]":
        """One balance per currency, in the currencies' order."""
        by_currency: dict[str, list[AccountBalance]] = {}
        for one in held:
            by_currency.setdefault(one.account.currency, []).append(one)
        return tuple(_balanced(code, by_currency[code]) for code in sorted(by_currency))


def _balanced(code: str, held: list[AccountBalance]) -> TrialBalanceOut:
    rows = tuple(_row(one) for one in sorted(held, key=lambda one: one.account.code))
    debit = sum(row.debit_cents for row in rows)
    credit = sum(row.credit_cents for row in rows)
    return TrialBalanceOut(
        currency=code,
        rows=rows,
        debit_cents=debit,
        credit_cents=credit,
        is_balanced=debit == credit,
    )


def _row(held: AccountBalance) -> TrialBalanceRowOut:
    minor = held.entry_sum.minor
    return TrialBalanceRowOut(
        account=held.account.code,
        kind=held.account.kind,
        debit_cents=max(minor, 0),
        credit_cents=max(-minor, 0),
    )


class StatementLineOut(Shape, frozen=True, kw_only=True):
    """One posting as the account sees it: above zero it holds more than before, below zero less."""

    id: str
    object: Literal["statement_line"] = "statement_line"
    kind: str
    source_id: str
    description: str
    amount_cents: Cents
    balance_cents: Cents
    currency: str
    occurred_at: WireInstant
    recorded_at: WireInstant

    @classmethod
    def of(cls, line: StatementLine) -> "StatementLineOut":
        """The line's shape."""
        return cls(
            id=line.id,
            kind=line.kind,
            source_id=line.source_id,
            description=line.description,
            amount_cents=line.amount.minor,
            balance_cents=line.balance.minor,
            currency=line.amount.currency,
            occurred_at=wire_instant(line.occurred_at),
            recorded_at=wire_instant(line.recorded_at),
        )
