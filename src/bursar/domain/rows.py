"""What the database keeps of a noun becomes the noun again: one pure function each.

Both floors that run SQL map through these, so a row means the same to whoever reads it. A record is
anything that gives a column by its name; ids come as bare UUIDs and are printed here, amounts as
minor units beside a currency. Refuses nothing: the schema's constraints already did.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from bursar.domain import ids
from bursar.domain.access import Role
from bursar.domain.api_keys import ApiKeyRecord
from bursar.domain.currencies import Currency
from bursar.domain.customers import Customer, TaxTreatment
from bursar.domain.dunning_policies import DunningPolicy
from bursar.domain.event_log import LoggedEvent, Told
from bursar.domain.holds import Hold, HoldStatus
from bursar.domain.ledger import (
    Account,
    AccountBalance,
    AccountKind,
    BookedEntry,
    BookedPosting,
    StatementLine,
)
from bursar.domain.members import Member, MemberStatus
from bursar.domain.money import Money
from bursar.domain.numbering import NumberScope
from bursar.domain.orgs import Colleague, Membership, Mode, Organization, User
from bursar.domain.transfers import CreditFailure, Purse, Step, Transfer, TransferStatus
from bursar.domain.wallets import Provocation, Wallet, WalletEntry, WalletStatus

# Read by the thousand a second, and a word is looked up in a tenth of what calling the enum takes.
_PROVOCATIONS: Final = {each.value: each for each in Provocation}
_STEP_COLUMNS: Final = (
    (TransferStatus.INITIATED, "created_at"),
    (TransferStatus.DEBITED, "debited_at"),
    (TransferStatus.CREDITED, "credited_at"),
    (TransferStatus.COMPLETED, "completed_at"),
    (TransferStatus.REFUNDING, "refunding_at"),
    (TransferStatus.FAILED, "failed_at"),
)


class Record(Protocol):
    """A row of a result: a column's value by the column's name."""

    def __getitem__(self, column: str, /) -> Any:
        """The value of a column."""
        ...


def row_to_organization(record: Record) -> Organization:
    """From every column of `organizations`."""
    return Organization(
        id=ids.OrgId(ids.print_id("org", record["org_id"])),
        name=record["name"],
        currency=Currency(record["currency"]),
        timezone=record["timezone"],
        mode=Mode(record["mode"]),
        invoice_prefix=record["invoice_prefix"],
        net_terms_days=record["net_terms_days"],
        reactivation_grace_days=record["reactivation_grace_days"],
        is_credit_applied=record["is_credit_applied"],
        dunning=_policy(record["dunning"]),
        invoice_grace_hours=record["invoice_grace_hours"],
        has_zero_invoices=record["has_zero_invoices"],
        has_consolidated_invoices=record["has_consolidated_invoices"],
        invoice_numbering=NumberScope(record["invoice_numbering"]),
        has_yearly_numbers=record["has_yearly_numbers"],
        deleted_at=record["deleted_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )


def row_to_member(record: Record) -> Member:
    """From every column of `members`."""
    user_id = record["user_id"]
    return Member(
        id=ids.MemberId(ids.print_id("mem", record["id"])),
        user_id=None if user_id is None else ids.UserId(ids.print_id("usr", user_id)),
        role=Role(record["role"]),
        status=MemberStatus(record["status"]),
        email=record["email"],
        token_hash=record["token_hash"],
        invited_until=record["invited_until"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )


def row_to_user(record: Record) -> User:
    """From what `sec.user_by_id` tells, or `sec.find_user`."""
    return User(
        id=ids.UserId(ids.print_id("usr", record["id"])),
        email=record["email"],
        name=record["name"],
        is_operator=record["is_operator"],
        verified_at=record["verified_at"],
        created_at=record["created_at"],
    )


def row_to_membership(record: Record) -> Membership:
    """From what `sec.memberships_of` tells."""
    return Membership(
        org_id=ids.OrgId(ids.print_id("org", record["org_id"])),
        name=record["name"],
        mode=Mode(record["mode"]),
        role=Role(record["role"]),
    )


def row_to_colleague(record: Record) -> Colleague:
    """From a member's columns beside `user_email`, `user_name`, and so on of the person, if any."""
    if record["user_id"] is None:
        return Colleague(row_to_member(record), None)
    user = User(
        id=ids.UserId(ids.print_id("usr", record["user_id"])),
        email=record["user_email"],
        name=record["user_name"],
        is_operator=record["user_is_operator"],
        verified_at=record["user_verified_at"],
        created_at=record["user_created_at"],
    )
    return Colleague(row_to_member(record), user)


def row_to_api_key(record: Record) -> ApiKeyRecord:
    """From every column of `api_keys`."""
    return ApiKeyRecord(
        id=ids.ApiKeyId(ids.print_id("key", record["id"])),
        name=record["name"],
        key_hash=record["key_hash"],
        key_prefix=record["key_prefix"],
        scopes=tuple(record["scopes"]),
        allowed_addresses=tuple(record["allowed_addresses"]),
        successor_id=None
        if record["successor_id"] is None
        else ids.ApiKeyId(ids.print_id("key", record["successor_id"])),
        expires_at=record["expires_at"],
        last_used_at=record["last_used_at"],
        revoked_at=record["revoked_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )


def _method_id(value: UUID | None) -> ids.PaymentMethodId | None:
    return None if value is None else ids.PaymentMethodId(ids.print_id("pm", value))


def row_to_customer(record: Record) -> Customer:
    """From every column of `customers`."""
    address = record["address"]
    return Customer(
        id=ids.CustomerId(ids.print_id("cust", record["id"])),
        email=record["email"],
        name=record["name"],
        currency=Currency(record["currency"]),
        tax_id=record["tax_id"],
        tax_treatment=TaxTreatment(record["tax_treatment"]),
        address=None if address is None else _texts(address),
        metadata=_texts(record["metadata"]),
        provider_reference=record["provider_reference"],
        method_reference=record["method_reference"],
        method_id=_method_id(record["method_id"]),
        deleted_at=record["deleted_at"],
        erased_at=record["erased_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )


def row_to_wallet(record: Record) -> Wallet:
    """From every column of `wallets` beside its account's `balance_minor` and `held_minor`."""
    code = Currency(record["currency"])
    user_id = record["user_id"]
    return Wallet(
        id=ids.WalletId(ids.print_id("wal", record["id"])),
        account_id=ids.AccountId(ids.print_id("acct", record["account_id"])),
        customer_id=_customer_id(record),
        user_id=None if user_id is None else ids.UserId(ids.print_id("usr", user_id)),
        name=record["name"],
        status=WalletStatus(record["status"]),
        balance=Money(record["balance_minor"], code),
        held=Money(record["held_minor"], code),
        provoke_credit=Provocation(record["provoke_credit"]),
        transfer_limit=_money_or_none(record["transfer_limit_minor"], code),
        daily_limit=_money_or_none(record["daily_limit_minor"], code),
        metadata=_texts(record["metadata"]),
        closed_at=record["closed_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )


def row_to_wallet_entry(record: Record, code: Currency) -> WalletEntry:
    """From a posting's columns beside `amount_minor` and `balance_minor`, on the natural side."""
    return WalletEntry(
        id=ids.LedgerTransactionId(ids.print_id("led", record["id"])),
        kind=record["kind"],
        source_id=record["source_id"],
        description=record["description"],
        amount=Money(int(record["amount_minor"]), code),
        balance=Money(int(record["balance_minor"]), code),
        occurred_at=record["occurred_at"],
        recorded_at=record["recorded_at"],
    )


def row_to_hold(record: Record) -> Hold:
    """From every column of `holds`."""
    code = Currency(record["currency"])
    return Hold(
        id=ids.HoldId(ids.print_id("hld", record["id"])),
        wallet_id=ids.WalletId(ids.print_id("wal", record["wallet_id"])),
        status=HoldStatus(record["status"]),
        amount=Money(record["amount_minor"], code),
        captured=Money(record["captured_minor"], code),
        description=record["description"],
        metadata=_texts(record["metadata"]),
        expires_at=record["expires_at"],
        settled_at=record["settled_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )


def row_to_statement_line(record: Record, account: Account, held: Money) -> StatementLine:
    """From a posting's columns beside one entry; `held` is the sum of entries right after it."""
    return StatementLine(
        id=ids.LedgerTransactionId(ids.print_id("led", record["id"])),
        kind=record["kind"],
        source_id=record["source_id"],
        description=record["description"],
        amount=account.balance(Money(record["amount_minor"], account.currency)),
        balance=account.balance(held),
        occurred_at=record["occurred_at"],
        recorded_at=record["recorded_at"],
    )


def row_to_purse(record: Record) -> Purse:
    """From a wallet's terms beside the columns of its account, which are locked."""
    return Purse(
        wallet_id=ids.WalletId(ids.print_id("wal", record["wallet_id"])),
        currency=Currency(record["currency"]),
        balance_minor=record["balance_minor"],
        held_minor=record["held_minor"],
        is_open=record["closed_at"] is None,
        provoked=_PROVOCATIONS[record["provoke_credit"]],
        transfer_limit_minor=record["transfer_limit_minor"],
        daily_limit_minor=record["daily_limit_minor"],
    )


def row_to_transfer(record: Record) -> Transfer:
    """From every column of `transfers`; the history is the instants of its steps."""
    arrived = ((status, record[column]) for status, column in _STEP_COLUMNS)
    return Transfer(
        id=ids.TransferId(ids.print_id("txn", record["id"])),
        from_wallet_id=ids.WalletId(ids.print_id("wal", record["from_wallet_id"])),
        to_wallet_id=ids.WalletId(ids.print_id("wal", record["to_wallet_id"])),
        amount=Money(record["amount_minor"], Currency(record["currency"])),
        description=record["description"],
        metadata=_texts(record["metadata"]),
        provoked=Provocation(record["provoked"]),
        history=tuple(Step(status, at) for status, at in arrived if at is not None),
        caller_key=record["caller_key"],
        credit_attempts=record["credit_attempts"],
        failure=None if record["failure"] is None else CreditFailure(record["failure"]),
    )


def row_to_event(record: Record) -> LoggedEvent:
    """From the columns of `events`; what stands apart joins the rest of the rendered resource."""
    resource_type = record["resource_type"]
    previous = record["previous"]
    told = Told(
        _json_bytes(record["snapshot"]),
        None if previous is None else _json_bytes(previous),
        record["personal"],
    )
    snapshot, former = told.whole()
    return LoggedEvent(
        id=ids.EventId(ids.print_id("evt", record["id"])),
        name=record["type"],
        is_public=record["is_public"],
        resource_type=resource_type,
        resource_id=ids.print_id(ids.PREFIX_OF_RESOURCE[resource_type], record["resource_id"]),
        sequence=record["sequence"],
        actor=record["actor"],
        reason=record["reason"],
        request_id=record["request_id"],
        address=record["address"],
        occurred_at=record["occurred_at"],
        recorded_at=record["recorded_at"],
        snapshot=snapshot,
        previous=former,
    )


def row_to_account(record: Record) -> AccountBalance:
    """From the columns of `ledger_accounts` beside `entry_sum`, the signed sum of its entries."""
    code = Currency(record["currency"])
    account = Account(record["code"], AccountKind(record["kind"]), code, record["floor_minor"])
    return AccountBalance(
        id=ids.AccountId(ids.print_id("acct", record["id"])),
        account=account,
        entry_sum=Money(int(record["entry_sum"]), code),
        created_at=record["created_at"],
    )


def row_to_posting(record: Record, entries: Sequence[Record]) -> BookedPosting:
    """From the columns of `ledger_transactions`, and its entries with their account's `code`."""
    corrects_id: UUID | None = record["corrects_id"]
    return BookedPosting(
        id=ids.LedgerTransactionId(ids.print_id("led", record["id"])),
        kind=record["kind"],
        source_id=record["source_id"],
        description=record["description"],
        occurred_at=record["occurred_at"],
        recorded_at=record["recorded_at"],
        corrects=None
        if corrects_id is None
        else ids.LedgerTransactionId(ids.print_id("led", corrects_id)),
        entries=tuple(
            BookedEntry(entry["code"], Money(entry["amount_minor"], Currency(entry["currency"])))
            for entry in entries
        ),
    )


def _customer_id(record: Record) -> ids.CustomerId | None:
    customer_id = record["customer_id"]
    return None if customer_id is None else ids.CustomerId(ids.print_id("cust", customer_id))


def _money_or_none(minor: int | None, code: Currency) -> Money | None:
    return None if minor is None else Money(minor, code)


def _policy(value: str | None) -> DunningPolicy | None:
    return None if value is None else msgspec.json.decode(value, type=DunningPolicy)


def _texts(value: object) -> dict[str, str]:
    """A JSON column of texts: as text from the driver, or decoded when a codec is registered."""
    if isinstance(value, str | bytes):
        return msgspec.json.decode(value, type=dict[str, str])
    return msgspec.convert(value, dict[str, str])


def _json_bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return value if isinstance(value, bytes) else msgspec.json.encode(value)
