"""What is sent and what comes back. Written by `make client`.

Unknown fields are passed over and unknown values of an enumeration are kept, so that a newer API
does not break an older client. What is sent leaves out every field that is not given.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Self

import msgspec
from msgspec import UNSET, UnsetType


class OpenEnum(StrEnum):
    """An enumeration that may grow: a value of tomorrow is a member without a name of its own."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        made = str.__new__(cls, value)
        made._name_ = made._value_ = str(value)
        return made


class AccountKind(OpenEnum):
    """One of these."""

    ASSET = "asset"
    CONTRA_REVENUE = "contra_revenue"
    EQUITY = "equity"
    EXPENSE = "expense"
    LIABILITY = "liability"
    REVENUE = "revenue"


class Aggregation(OpenEnum):
    """How events become a quantity."""

    COUNT = "count"
    LATEST = "latest"
    MAX = "max"
    SUM = "sum"
    UNIQUE = "unique"


class BillingInterval(OpenEnum):
    """How long a period is."""

    MONTH = "month"
    YEAR = "year"


class BillingReason(OpenEnum):
    """Why the document was made."""

    MANUAL = "manual"
    RECURRING = "recurring"
    SUBSCRIPTION_CREATE = "subscription_create"
    SUBSCRIPTION_CYCLE = "subscription_cycle"
    SUBSCRIPTION_UPDATE = "subscription_update"


class ClockStatus(OpenEnum):
    """Whether a clock stands, or is on its way."""

    ADVANCING = "advancing"
    READY = "ready"


class CouponDuration(OpenEnum):
    """For how long a coupon takes something off."""

    FOREVER = "forever"
    ONCE = "once"
    REPEATING = "repeating"


class CouponStatus(OpenEnum):
    """Whether it can still be given to anybody; who has it keeps it."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class CreditDestination(OpenEnum):
    """Where goes what is more than was due."""

    CREDIT_BALANCE = "credit_balance"
    REFUND = "refund"


class CreditFailure(OpenEnum):
    """Why a credit was given up and the sender has the amount back."""

    CREDIT_REFUSED = "credit_refused"
    CREDIT_TIMED_OUT = "credit_timed_out"
    WALLET_CLOSED = "wallet_closed"
    WALLET_FULL = "wallet_full"


class DeclineKind(OpenEnum):
    """What a decline asks of whoever retries."""

    AUTHENTICATION = "authentication"
    NEVER = "never"
    NEW_METHOD = "new_method"
    RETRY = "retry"


class DeliveryStatus(OpenEnum):
    """Where one event is on its way to one endpoint."""

    DELIVERED = "delivered"
    FAILED = "failed"
    PENDING = "pending"


class DifferenceKind(OpenEnum):
    """How two books can differ."""

    CUSTOMER_UNKNOWN_THERE = "customer_unknown_there"
    DISPUTE_DIFFERS = "dispute_differs"
    PAYMENT_AMOUNT_DIFFERS = "payment_amount_differs"
    PAYMENT_CHARGED_TWICE = "payment_charged_twice"
    PAYMENT_NOT_SETTLED = "payment_not_settled"
    PAYMENT_UNKNOWN_THERE = "payment_unknown_there"
    PAYOUT_DIFFERS = "payout_differs"
    PAYOUT_UNKNOWN_HERE = "payout_unknown_here"
    PAYOUT_UNKNOWN_THERE = "payout_unknown_there"
    REFUND_NOT_SETTLED = "refund_not_settled"
    REFUND_UNKNOWN_HERE = "refund_unknown_here"
    REFUND_UNKNOWN_THERE = "refund_unknown_there"


class DisputeStatus(OpenEnum):
    """Where a dispute is.

    The `warning` ones are inquiries, which move no money.
    """

    LOST = "lost"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WARNING_CLOSED = "warning_closed"
    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WON = "won"


class DunningAction(OpenEnum):
    """What a step does."""

    CANCEL = "cancel"
    MARK_UNCOLLECTIBLE = "mark_uncollectible"
    NOTIFY = "notify"
    PAUSE = "pause"
    RETRY = "retry"


class EndpointStatus(OpenEnum):
    """Whether an endpoint hears of events: now, later, or not at all."""

    ACTIVE = "active"
    OFF = "off"
    PAUSED = "paused"


class FileFormat(OpenEnum):
    """How the file is written."""

    CSV = "csv"
    JSONL = "jsonl"


class HoldStatus(OpenEnum):
    """Where a hold is; only an open one sets anything aside."""

    CAPTURED = "captured"
    EXPIRED = "expired"
    OPEN = "open"
    RELEASED = "released"


class ImportKind(OpenEnum):
    """What the rows are."""

    CUSTOMERS = "customers"
    OPENING_BALANCES = "opening_balances"


class Interval(OpenEnum):
    """How long a piece of a report is."""

    DAY = "day"
    MONTH = "month"


class InvoiceStatus(OpenEnum):
    """Where the document is in its life; sent and overdue are facts beside it."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"


class Language(OpenEnum):
    """What documents, pages and mail are written in."""

    DE = "de"
    EN = "en"
    ES = "es"
    FR = "fr"


class LineType(OpenEnum):
    """What a line charges for."""

    ADJUSTMENT = "adjustment"
    MANUAL = "manual"
    PRORATION = "proration"
    SUBSCRIPTION = "subscription"
    USAGE = "usage"


class MailKind(OpenEnum):
    """Every mail there is."""

    ADDRESS_TAKEN = "address_taken"
    CREDIT_NOTE = "credit_note"
    DUNNING_END = "dunning_end"
    DUNNING_NOTICE = "dunning_notice"
    DUNNING_PAUSE = "dunning_pause"
    FACTOR_CHANGED = "factor_changed"
    INVITATION = "invitation"
    INVOICE = "invoice"
    NEW_LINK = "new_link"
    PASSWORD_CHANGED = "password_changed"
    PAYMENT_FAILED = "payment_failed"
    RECEIPT = "receipt"
    REMINDER = "reminder"
    RESET_PASSWORD = "reset_password"
    SESSION_REUSED = "session_reused"
    VERIFY_ADDRESS = "verify_address"
    WEBHOOK_SWITCHED_OFF = "webhook_switched_off"


class MailStatus(OpenEnum):
    """What became of a mail."""

    FAILED = "failed"
    KEPT = "kept"
    PENDING = "pending"
    SENT = "sent"


class MemberStatus(OpenEnum):
    """How far a place is taken."""

    ACTIVE = "active"
    INVITED = "invited"
    REMOVED = "removed"


class Mode(OpenEnum):
    """Whether money is real."""

    LIVE = "live"
    SANDBOX = "sandbox"


class NamedPolicy(OpenEnum):
    """The policies that an endpoint may ask for by name."""

    FAST = "fast"
    STANDARD = "standard"


class NumberScope(OpenEnum):
    """Whose documents share a series."""

    CUSTOMER = "customer"
    ORGANIZATION = "organization"


class OffReason(OpenEnum):
    """Why an endpoint was switched off."""

    FAILING = "failing"
    GONE = "gone"


class Paper(OpenEnum):
    """What documents are printed on."""

    A4 = "a4"
    LETTER = "letter"


class PaymentMode(OpenEnum):
    """How the customer pays: on a hosted page, by a stored method, or with stored money.

    Or without us: by what an accountant recorded, or out of the credit balance.
    """

    CHARGE = "charge"
    CHECKOUT = "checkout"
    CREDIT = "credit"
    MANUAL = "manual"
    WALLET = "wallet"


class PaymentPurpose(OpenEnum):
    """What the money is for."""

    INVOICE = "invoice"
    WALLET_DEPOSIT = "wallet_deposit"


class PaymentStatus(OpenEnum):
    """Where an attempt is.

    The first three are open: one such attempt per invoice.
    """

    DISPUTED = "disputed"
    FAILED = "failed"
    PARTIALLY_REFUNDED = "partially_refunded"
    PENDING = "pending"
    PROCESSING = "processing"
    REFUNDED = "refunded"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"


class PayoutStatus(OpenEnum):
    """How far a payout is."""

    CANCELED = "canceled"
    FAILED = "failed"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    PENDING = "pending"


class PendingKind(OpenEnum):
    """Why a line is due."""

    ADJUSTMENT = "adjustment"
    PRORATION = "proration"
    SUBSCRIPTION = "subscription"


class Permission(OpenEnum):
    """`noun:verb`.

    An operation or read without one does not start.
    """

    ANYONE = "anyone"
    API_KEY_READ = "api_key:read"
    API_KEY_WRITE = "api_key:write"
    AUDIT_READ = "audit:read"
    AUDIT_SEAL = "audit:seal"
    CUSTOMER_ERASE = "customer:erase"
    CUSTOMER_READ = "customer:read"
    CUSTOMER_WRITE = "customer:write"
    EVENT_READ = "event:read"
    HOLD_EXPIRE = "hold:expire"
    INVOICE_FINALIZE = "invoice:finalize"
    INVOICE_PAY = "invoice:pay"
    INVOICE_READ = "invoice:read"
    INVOICE_WRITE = "invoice:write"
    LEDGER_FOLD = "ledger:fold"
    LEDGER_READ = "ledger:read"
    MAIL_READ = "mail:read"
    MAIL_SEND = "mail:send"
    MEMBER_LEAVE = "member:leave"
    MEMBER_READ = "member:read"
    MEMBER_WRITE = "member:write"
    OPERATOR_NAME = "operator:name"
    ORG_DELETE = "org:delete"
    ORG_READ = "org:read"
    ORG_TRANSFER = "org:transfer"
    ORG_WRITE = "org:write"
    PAYMENT_READ = "payment:read"
    PAYMENT_RECORD = "payment:record"
    PAYMENT_SETTLE = "payment:settle"
    PAYMENT_METHOD_WRITE = "payment_method:write"
    PLAN_READ = "plan:read"
    PLAN_WRITE = "plan:write"
    QUEUE_READ = "queue:read"
    QUEUE_WRITE = "queue:write"
    REFUND_WRITE = "refund:write"
    SELF_MANAGE = "self:manage"
    SUBSCRIPTION_READ = "subscription:read"
    SUBSCRIPTION_RENEW = "subscription:renew"
    SUBSCRIPTION_WRITE = "subscription:write"
    TEST_CLOCK_MOVE = "test_clock:move"
    TEST_CLOCK_WRITE = "test_clock:write"
    USAGE_READ = "usage:read"
    USAGE_WRITE = "usage:write"
    VIEW_SAVE = "view:save"
    WALLET_MOVE = "wallet:move"
    WALLET_READ = "wallet:read"
    WEBHOOK_DELIVER = "webhook:deliver"
    WEBHOOK_READ = "webhook:read"
    WEBHOOK_WRITE = "webhook:write"


class PlanStatus(OpenEnum):
    """Whether anybody may still subscribe."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class PricingModel(OpenEnum):
    """How the price of a quantity is found."""

    FLAT_RATE = "flat_rate"
    GRADUATED = "graduated"
    PACKAGE = "package"
    PER_UNIT = "per_unit"
    VOLUME = "volume"


class Proration(OpenEnum):
    """What a change in the middle of a period does to its price."""

    AT_PERIOD_END = "at_period_end"
    CREATE_PRORATIONS = "create_prorations"
    NONE = "none"


class Provocation(OpenEnum):
    """What becomes of a transfer's credit to this wallet, in sandbox organizations only."""

    LATER = "later"
    NONE = "none"
    REFUSE = "refuse"
    TIME_OUT = "time_out"


class ReceiptMethod(OpenEnum):
    """How money came that no provider brought."""

    BANK_TRANSFER = "bank_transfer"
    CASH = "cash"
    CHECK = "check"
    OTHER = "other"


class RecurringInterval(OpenEnum):
    """The unit of time between two invoices."""

    DAY = "day"
    MONTH = "month"
    WEEK = "week"
    YEAR = "year"


class RecurringStatus(OpenEnum):
    """Whether it makes invoices; completed means that its end has passed."""

    ACTIVE = "active"
    CANCELED = "canceled"
    COMPLETED = "completed"
    PAUSED = "paused"


class RefundStatus(OpenEnum):
    """Where a refund is.

    A pending one waits for the provider's answer.
    """

    FAILED = "failed"
    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"


class ReplayScope(OpenEnum):
    """Which events of a stretch are sent again."""

    ALL = "all"
    FAILED = "failed"
    MISSED = "missed"


class Resolution(OpenEnum):
    """How a case ended."""

    BY_HAND = "by_hand"
    EXHAUSTED = "exhausted"
    PAID = "paid"
    UNCOLLECTIBLE = "uncollectible"
    VOIDED = "voided"


class RetryPolicy(OpenEnum):
    """How an endpoint wants what it did not take to be tried again."""

    CUSTOM = "custom"
    FAST = "fast"
    STANDARD = "standard"


class Role(OpenEnum):
    """The named sets of permissions a person can hold in an organization."""

    ACCOUNTANT = "accountant"
    ADMIN = "admin"
    OWNER = "owner"
    VIEWER = "viewer"


class SubscriptionStatus(OpenEnum):
    """Where the agreement stands."""

    ACTIVE = "active"
    CANCELED = "canceled"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    TRIALING = "trialing"


class TaxCategory(OpenEnum):
    """Why a rate is what it is; all but the standard one are of zero percent."""

    EXEMPT = "exempt"
    REVERSE_CHARGE = "reverse_charge"
    STANDARD = "standard"
    ZERO = "zero"


class TaxRateStatus(OpenEnum):
    """Whether it may still be put on a line; documents that have it keep it."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class TaxTreatment(OpenEnum):
    """Whether what is billed to a customer is taxed; if not, the document says why."""

    EXEMPT = "exempt"
    REVERSE_CHARGE = "reverse_charge"
    TAXABLE = "taxable"


class TransferStatus(OpenEnum):
    """Where a transfer is, in upper case as every client of such transfers knows them."""

    COMPLETED = "COMPLETED"
    CREDITED = "CREDITED"
    DEBITED = "DEBITED"
    FAILED = "FAILED"
    INITIATED = "INITIATED"
    REFUNDING = "REFUNDING"


class WalletStatus(OpenEnum):
    """Whether the wallet takes part; a closed one has nothing, holds nothing and takes
    nothing.
    """

    CLOSED = "closed"
    OPEN = "open"


class AccountOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One account and what it holds."""

    id: str
    object: str = "ledger_account"
    code: str
    kind: AccountKind
    currency: str
    balance_cents: int
    created_at: dt.datetime


class Address(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A postal address; every part of it is optional."""

    line1: str | UnsetType = UNSET
    line2: str | UnsetType = UNSET
    city: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    postal_code: str | UnsetType = UNSET
    country: str | UnsetType = UNSET


class AddressBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Whose password it is."""

    email: str


class Advance(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Where to: `to` a moment, or `by` a span from where the clock stands."""

    to: dt.datetime | UnsetType | None = UNSET
    by: str | UnsetType | None = UNSET


class AgeOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """So much is open, on so many documents."""

    count: int
    amount_cents: int


class AgeingOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What is open now, by how many days it has been due."""

    total: AgeOut
    current: AgeOut
    days1_to30: AgeOut
    days31_to60: AgeOut
    days61_to90: AgeOut
    days_over90: AgeOut


class AgendaKindOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How much of one kind waits for its time, and how much of it is due."""

    object: str = "agenda_kind"
    kind: str
    waiting: int
    due: int
    first_at: dt.datetime


class Alike(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Dead letters that failed alike, as a group of the list names them, so many a second."""

    queue: Literal["integrations", "invoices", "notifications", "payments", "usage"]
    kind: str
    error: str
    per_second: int | UnsetType = UNSET


class AmountBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How much; the currency, if it is named, is the wallet's."""

    amount_cents: int
    currency: str | UnsetType | None = UNSET


class ApiKeyIssued(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A new key.

    `key` is shown this once and never again.
    """

    id: str
    object: str = "api_key"
    name: str
    key_prefix: str
    scopes: list[str]
    allowed_addresses: list[str]
    successor_id: str | None
    is_revoked: bool
    revoked_at: dt.datetime | None
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime
    key: str


class ApiKeyOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One key."""

    id: str
    object: str = "api_key"
    name: str
    key_prefix: str
    scopes: list[str]
    allowed_addresses: list[str]
    successor_id: str | None
    is_revoked: bool
    revoked_at: dt.datetime | None
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class AuditOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Who did what, when, why, and what it changed.

    `before` holds the former values of what changed, and is null for a resource that had
    just begun; `after` is the whole resource.
    """

    id: str
    object: str = "audit_entry"
    actor: str
    action: str
    resource_type: str
    resource_id: str
    sequence: int
    before: Any
    after: Any
    reason: str | None
    request_id: str
    address: str | None
    created_at: dt.datetime
    recorded_at: dt.datetime


class Cancellation(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """When it ends: with the period, or now; then what is left of the period may be given
    back.
    """

    at_period_end: bool | UnsetType = UNSET
    credit_unused_time: bool | UnsetType = UNSET
    reason: str | UnsetType | None = UNSET


class CaptureBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How much to take; all of it, when nothing is said."""

    amount_cents: int | UnsetType | None = UNSET


class ChainCheckOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Whether a part of the chain over the log holds.

    Each link hashes the one before it; `lastHash` is the link at `lastPosition`.
    `nextPosition` is null when the chain ends there, which is at `headPosition`.
    `offenders` name what was edited, deleted or inserted.
    """

    object: str = "audit_chain_check"
    after_position: int
    last_position: int
    last_hash: str
    head_position: int
    is_intact: bool
    offenders: list[str]
    next_position: int | None


class ChargeBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A metered charge on top of the plan's own price; billed with the plan or more often."""

    meter_id: str
    pricing_model: PricingModel
    name: str | UnsetType | None = UNSET
    amount_cents: int | UnsetType = UNSET
    unit_amount_decimal: str | UnsetType = UNSET
    tiers: list[TierBody] | UnsetType = UNSET
    package_size: int | UnsetType | None = UNSET
    billing_interval: BillingInterval | UnsetType = UNSET


class ChargeOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A metered charge on top of the plan's own price."""

    id: str
    object: str = "price"
    name: str | None
    meter_id: str | None
    pricing_model: PricingModel
    amount_cents: int | None
    unit_amount_decimal: Decimal | None
    package_size: int | None
    tiers: list[TierOut]
    billing_interval: BillingInterval


class ClockOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The time of an organization; `progress` while it is advancing."""

    object: str = "test_clock"
    now: dt.datetime
    status: ClockStatus
    frozen: bool
    progress: ClockWayOut | None


class ClockWayOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The way a clock is on: how much is behind it, and what it waits for before it goes on."""

    departed_at: dt.datetime
    target_at: dt.datetime
    percent: int
    pending: int


class CodeBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What the authenticator shows now."""

    code: str


class ColleagueOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A member as the others see them: with a name, once the invitation is accepted."""

    id: str
    object: str = "member"
    user_id: str | None
    email: str
    name: str | None
    role: Role
    status: MemberStatus
    invited_until: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class CouponOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One coupon: a percentage off, or an amount in one currency."""

    id: str
    object: str = "coupon"
    name: str
    percent_off: Decimal | None
    amount_off_cents: int | None
    currency: str | None
    duration: CouponDuration
    months: int | None
    status: CouponStatus
    metadata: dict[str, str]
    archived_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class CreditBalanceOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What a customer has to their credit."""

    object: str = "credit_balance"
    customer_id: str
    balance_cents: int
    currency: str


class CreditNoteLineOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What is taken back of one line of the invoice, and the taxes in it."""

    id: str
    object: str = "credit_note_line"
    invoice_line_id: str
    description: str
    amount_cents: int
    tax_amount_cents: int
    taxes: list[LineTaxOut]


class CreditNoteOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One credit note.

    What was still due is lowered first, the rest goes to the destination.
    """

    id: str
    object: str = "credit_note"
    invoice_id: str
    customer_id: str
    credit_note_number: str
    currency: str
    total_cents: int
    tax_amount_cents: int
    amount_applied_cents: int
    amount_credited_cents: int
    destination: CreditDestination
    refund_id: str | None
    reason: str | None
    lines: list[CreditNoteLineOut]
    metadata: dict[str, str]
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class CreditedLineBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A line of the invoice, and how much of it; without an amount all that is left."""

    invoice_line_id: str
    amount_cents: int | UnsetType | None = UNSET


class CustomerOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One customer."""

    id: str
    object: str = "customer"
    email: str
    name: str
    currency: str
    tax_id: str | None
    tax_treatment: TaxTreatment
    address: dict[str, str] | None
    metadata: dict[str, str]
    stripe_customer_id: str | None
    default_payment_method_id: str | None
    deleted_at: dt.datetime | None
    erased_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class CustomerPatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Details to change.

    `address` is replaced whole; `metadata` is merged.
    """

    email: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    tax_id: str | UnsetType | None = UNSET
    tax_treatment: TaxTreatment | UnsetType = UNSET
    address: Address | UnsetType | None = UNSET
    metadata: dict[str, str | None] | UnsetType | None = UNSET


class CustomersOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Who came, who stayed, who left."""

    currency: str
    timezone: str
    from_: str
    to: str
    interval: Interval
    object: str = "customers_report"
    opening_subscriber_count: int
    series: list[CustomersPartOut]
    totals: CustomersPartOut
    churn_percent: Decimal | None
    retention_percent: Decimal | None


class CustomersPartOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Customers: those who are there, and those of them who pay regularly (subscribers)."""

    start: str | None
    created_count: int
    deleted_count: int
    gained_count: int
    lost_count: int
    customer_count: int
    subscriber_count: int


class DeadLetterGroupOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Dead letters that failed alike; `example` is the message of one of them."""

    object: str = "dead_letter_group"
    queue: str
    kind: str
    error: str
    letters: int
    example: str
    first_held_at: dt.datetime
    last_held_at: dt.datetime


class DeadLetterOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A job that ran out of attempts.

    `payload` and `traceback` are shown redacted.
    """

    object: str = "dead_letter"
    job_id: int
    queue: str
    kind: str
    org_id: str | None
    attempts: int
    error: str
    payload: str
    traceback: str
    created_at: dt.datetime
    held_at: dt.datetime


class DeliveryAttemptOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One try: the endpoint's status and the start of its answer, or why there was none."""

    number: int
    attempted_at: dt.datetime
    duration_ms: int
    response_status: int | None
    response_body: str
    failure: str | None


class DeliveryOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One event on its way to one endpoint."""

    id: str
    object: str = "webhook_delivery"
    webhook_subscription_id: str
    event_id: str
    event_type: str
    sequence: int
    status: DeliveryStatus
    attempt_count: int
    last_attempt_at: dt.datetime | None
    next_attempt_at: dt.datetime | None
    last_response_status: int | None
    attempts: list[DeliveryAttemptOut]
    created_at: dt.datetime


class DepositBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How much, and how it comes: in a sandbox organization at once, unless a `mode` is named."""

    amount_cents: int
    currency: str | UnsetType | None = UNSET
    mode: Literal["charge", "checkout"] | UnsetType | None = UNSET
    payment_method_id: str | UnsetType | None = UNSET
    success_url: str | UnsetType | None = UNSET
    cancel_url: str | UnsetType | None = UNSET


class DepositOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The wallet, and the attempt that fills it; without one the money is in it already."""

    id: str
    object: str = "wallet"
    name: str
    owner_type: str
    customer_id: str | None
    user_id: str | None
    status: WalletStatus
    currency: str
    balance_cents: int
    held_cents: int
    available_cents: int
    transfer_limit_cents: int | None
    daily_limit_cents: int | None
    provoke_credit: Provocation
    metadata: dict[str, str]
    closed_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime
    payment: WidePaymentOut | None
    checkout_url: str | None
    next_action_url: str | None


class DifferenceOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One difference: how it came about, and what mends it."""

    object: str = "difference"
    kind: DifferenceKind
    resource_id: str
    provider: str | None
    reference: str | None
    currency: str | None
    ours_cents: int | None
    theirs_cents: int | None
    cause: str
    repair: str
    occurred_at: dt.datetime


class Discarded(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Dead letters to throw away, and why; what they would have done is not done."""

    job_ids: list[int]
    reason: str


class DiscountBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Something off: by a coupon, or a percentage or an amount as it was agreed."""

    coupon_id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    percent_off: str | UnsetType = UNSET
    amount_off_cents: int | UnsetType = UNSET


class DiscountOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What was agreed to be taken off: a percentage or an amount, by a coupon or without one."""

    name: str
    coupon_id: str | None
    percent_off: Decimal | None
    amount_off_cents: int | None


class DisputeOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One dispute.

    `withdrawnCents` is what the bank has now, `feeCents` what it cost.
    """

    id: str
    object: str = "dispute"
    payment_id: str
    invoice_id: str | None
    customer_id: str | None
    status: DisputeStatus
    amount_cents: int
    withdrawn_cents: int
    fee_cents: int
    currency: str
    reason: str
    provider: str
    stripe_dispute_id: str
    evidence_due_at: dt.datetime | None
    closed_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class DocumentSettingsOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How documents and mail look.

    Days of reminders count from the due date.
    """

    id: str
    object: str = "document_settings"
    language: Language
    paper: Paper
    address: dict[str, str] | None
    tax_id: str | None
    footer: str | None
    reply_to: str | None
    iban: str | None
    bic: str | None
    logo_sha256: str | None
    sends_mail: bool
    sends_receipts: bool
    sends_failures: bool
    reminder_days: list[int]
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class DocumentSettingsPatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What to change.

    `logo` is a PNG or JPEG as base64; days of reminders count from due.
    """

    language: Language | UnsetType = UNSET
    paper: Paper | UnsetType = UNSET
    address: Address | UnsetType | None = UNSET
    tax_id: str | UnsetType | None = UNSET
    footer: str | UnsetType | None = UNSET
    reply_to: str | UnsetType | None = UNSET
    iban: str | UnsetType | None = UNSET
    bic: str | UnsetType | None = UNSET
    logo: str | UnsetType | None = UNSET
    sends_mail: bool | UnsetType = UNSET
    sends_receipts: bool | UnsetType = UNSET
    sends_failures: bool | UnsetType = UNSET
    reminder_days: list[int] | UnsetType = UNSET


class DunningBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The waits before each new try, and what follows the last of them."""

    retry_minutes: list[int]
    escalation: list[DunningStepBody] | UnsetType = UNSET


class DunningOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One invoice in dunning.

    `currentAction` is what comes next, at `nextRetryAt`.
    """

    id: str
    object: str = "dunning"
    invoice_id: str
    customer_id: str
    subscription_id: str | None
    retry_count: int
    max_retries: int
    next_retry_at: dt.datetime | None
    current_action: DunningAction
    decline_kind: DeclineKind | None
    decline_code: str | None
    needs_new_method: bool
    policy: DunningPolicyOut
    paused_at: dt.datetime | None
    pause_reason: str | None
    resolved_at: dt.datetime | None
    resolution: Resolution | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class DunningPartOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Payments that failed, and documents that were given up."""

    start: str | None
    failed_count: int
    failed_cents: int
    bad_debt_cents: int


class DunningPolicyOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The waits before each new try, and what follows the last of them."""

    retry_minutes: list[int]
    escalation: list[DunningStepOut]


class DunningReportOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What was not paid as it should be, and what of it is open now."""

    currency: str
    timezone: str
    from_: str
    to: str
    interval: Interval
    object: str = "dunning_report"
    series: list[DunningPartOut]
    totals: DunningPartOut
    outstanding: AgeingOut


class DunningStepBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What is done when no try is left, so many minutes after the step before."""

    action: Literal["cancel", "mark_uncollectible", "notify", "pause"]
    after_minutes: int | UnsetType = UNSET


class DunningStepOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What is done, so many minutes after the step before."""

    action: DunningAction
    after_minutes: int


class EmailOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One mail.

    `kept` means that nothing is configured that could send it.
    """

    id: str
    object: str = "email"
    kind: MailKind
    language: str
    recipient: str
    invoice_id: str | None
    status: MailStatus
    attempt_count: int
    failure: str | None
    created_at: dt.datetime
    settled_at: dt.datetime | None


class EndpointHealthOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How an endpoint is doing.

    `condition` is `healthy`, `failing` (the last attempts failed) or `down` (only a trial
    is sent now and then, the next one at `nextTrialAt`). `waitingCount` counts up to
    10,000.
    """

    webhook_subscription_id: str
    object: str = "webhook_endpoint_health"
    status: EndpointStatus
    condition: str
    consecutive_failures: int
    first_failed_at: dt.datetime | None
    went_down_at: dt.datetime | None
    next_trial_at: dt.datetime | None
    waiting_count: int
    waiting_since: dt.datetime | None


class EntryOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One account's part of a posting: above zero a debit, below zero a credit."""

    account: str
    amount_cents: int
    currency: str


class ErasureBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Why somebody is erased: kept in the log, so it should not say who they are."""

    reason: str


class ErasureOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What an erasure took out; with `dryRun`, what it would.

    `events` said something of the customer in the log, `mails` were written to them, and
    `answers` of webhook endpoints may have repeated it. Their `documents` stay, without
    name and address.
    """

    object: str = "erasure"
    customer_id: str
    erased_at: dt.datetime
    events: int
    mails: int
    answers: int
    documents: int


class ErrorBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What went wrong.

    Some codes carry facts of their own beside these.
    """

    code: str
    message: str
    request_id: str
    doc_url: str
    details: list[ErrorDetail] = msgspec.field(default_factory=list)
    current_status: str | None = None
    allowed_transitions: list[str] | None = None
    payment_id: str | None = None
    available_cents: int | None = None
    limit: str | None = None
    limit_cents: int | None = None
    decline_code: str | None = None


class ErrorDetail(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One field's fault; `field` is spelled as the caller spelled it."""

    field: str
    message: str
    code: str


class EventOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What a webhook carries.

    `previousAttributes` is null when the resource had just begun.
    """

    id: str
    type: str
    created_at: dt.datetime
    sequence: int
    data: Any
    previous_attributes: Any


class EventTypeOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One kind of event: when it is told, what its body looks like, and a sample.

    `payloadVersion` rises when a field of `data` goes or changes its meaning; new ones may
    come at any time.
    """

    type: str
    description: str
    resource_type: str
    payload_version: int
    json_schema: dict[str, Any]
    sample: Any


class ExplanationDifferenceOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A figure that does not follow from what stands on the invoice."""

    field: str
    billed_cents: int
    recomputed_cents: int


class ExplanationOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """An invoice worked out anew from what stands on it; `differences` names what was billed
    else.

    All figures but those of `differences` are the recomputed ones.
    """

    id: str
    object: str = "invoice_explanation"
    currency: str
    matches: bool
    differences: list[ExplanationDifferenceOut]
    lines: list[LineExplanationOut]
    discounts: list[InvoiceDiscountOut]
    taxes: list[InvoiceTaxOut]
    subtotal_cents: int
    discount_cents: int
    tax_amount_cents: int
    tax_included_cents: int
    excess_cents: int
    total_cents: int


class FactorBegun(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What an authenticator is given; `uri` is what a QR code would say."""

    secret: str
    uri: str


class GivenCouponOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A coupon of a subscription: for periods that begin at `since` or later, before `until`."""

    coupon_id: str
    since: dt.datetime
    until: dt.datetime | None


class HoldOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One hold.

    `capturedCents` is what was really taken of it.
    """

    id: str
    object: str = "hold"
    wallet_id: str
    status: HoldStatus
    amount_cents: int
    captured_cents: int
    currency: str
    description: str | None
    metadata: dict[str, str]
    expires_at: dt.datetime
    settled_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class ImportOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What came of one file.

    `faults` names the first hundred; the rows they name made nothing.
    """

    id: str
    object: str = "import"
    kind: ImportKind
    format: FileFormat
    created_count: int
    unchanged_count: int
    failed_count: int
    faults: list[RowFaultOut]
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class Invitation(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Who should come, and as what."""

    email: str
    role: Role


class InvitationToken(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The token that the invitation's mail carried."""

    token: str


class InvoiceDiscountOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A discount on the whole document, and what it took off all lines together."""

    name: str
    coupon_id: str | None
    percent_off: Decimal | None
    amount_off_cents: int | None
    discount_cents: int


class InvoiceLineOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One line.

    Its discount holds its own and its part of the document's, its tax every tax.
    """

    id: str
    object: str = "invoice_line"
    description: str
    type: LineType
    quantity: int
    unit_amount_cents: int | None
    unit_amount_decimal: Decimal
    amount_cents: int
    discount_cents: int
    tax_amount_cents: int
    total_cents: int
    discounts: list[DiscountOut]
    taxes: list[LineTaxOut]
    subscription_id: str | None
    period_start: dt.datetime | None
    period_end: dt.datetime | None


class InvoiceOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One invoice.

    The total is the subtotal, less discounts, plus those taxes that are not included in the
    prices already. When lines give back more than others charge, the total is zero and
    `excessCents` goes to the customer's credit.
    """

    id: str
    object: str = "invoice"
    customer_id: str
    subscription_id: str | None
    billing_reason: BillingReason
    status: InvoiceStatus
    invoice_number: str | None
    currency: str
    subtotal_cents: int
    discount_cents: int
    tax_amount_cents: int
    tax_included_cents: int
    excess_cents: int
    total_cents: int
    amount_credited_cents: int
    amount_paid_cents: int
    amount_due_cents: int
    period_start: dt.datetime | None
    period_end: dt.datetime | None
    due_date: dt.datetime | None
    memo: str | None
    lines: list[InvoiceLineOut]
    discounts: list[InvoiceDiscountOut]
    taxes: list[InvoiceTaxOut]
    metadata: dict[str, str]
    finalized_at: dt.datetime | None
    sent_at: dt.datetime | None
    overdue_at: dt.datetime | None
    paid_at: dt.datetime | None
    voided_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class InvoicePatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What to change in a draft.

    `lines`, `discounts` replace all of them; `metadata` is merged.
    """

    lines: list[LineBody] | UnsetType = UNSET
    discounts: list[DiscountBody] | UnsetType = UNSET
    due_date: dt.datetime | UnsetType | None = UNSET
    memo: str | UnsetType | None = UNSET
    metadata: dict[str, str | None] | UnsetType | None = UNSET


class InvoiceTaxOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What one tax rate comes to on the document; `taxableCents` is what it lies on."""

    tax_rate_id: str
    name: str
    percentage: Decimal
    inclusive: bool
    category: TaxCategory
    country: str | None
    note: str | None
    taxable_cents: int
    tax_amount_cents: int


class InvoicesOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What was invoiced, and what is open now."""

    currency: str
    timezone: str
    from_: str
    to: str
    interval: Interval
    object: str = "invoices_report"
    series: list[InvoicesPartOut]
    totals: InvoicesPartOut
    outstanding: AgeingOut


class InvoicesPartOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Documents: what was invoiced, taken back, and settled, with tax."""

    start: str | None
    invoiced_count: int
    invoiced_cents: int
    voided_count: int
    voided_cents: int
    paid_count: int
    paid_cents: int


class JoinedOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Where one belongs now, and as what."""

    organization: OrganizationOut
    member: MemberOut


class Letters(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Dead letters by their numbers."""

    job_ids: list[int]


class LettersMoved(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How many dead letters it was."""

    letters: int


class LineBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One line: what, how many, and the price of one in minor units, whole or as a decimal."""

    description: str
    quantity: int | UnsetType = UNSET
    unit_amount_cents: int | UnsetType = UNSET
    unit_amount_decimal: str | UnsetType = UNSET
    tax_rate_id: str | UnsetType = UNSET
    tax_rate_ids: list[str] | UnsetType = UNSET
    discounts: list[DiscountBody] | UnsetType = UNSET


class LineExplanationOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How a line came about: from its derivation, or from quantity and unit price."""

    id: str
    description: str
    type: LineType
    quantity: int
    unit_amount_decimal: Decimal
    period_start: dt.datetime | None
    period_end: dt.datetime | None
    derivation: dict[str, Any] | None
    usage: LineUsageOut | None
    amount_cents: int
    discount_cents: int
    discounts: list[DiscountOut]
    taxes: list[LineTaxOut]
    total_cents: int


class LineTaxOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What one tax rate comes to on one line; an inclusive one is a part of the line's amount."""

    tax_rate_id: str
    inclusive: bool
    tax_amount_cents: int


class LineUsageOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The usage behind a line: what was reported after `knownAt` is not in it.

    `sampleEventIds` are the first of its events, at most twenty.
    """

    known_at: dt.datetime | None
    sample_event_ids: list[str]


class LinkedInvoice(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One invoice.

    `hostedInvoiceUrl` is where the customer sees and pays it, once it is final.
    """

    id: str
    object: str = "invoice"
    customer_id: str
    subscription_id: str | None
    billing_reason: BillingReason
    status: InvoiceStatus
    invoice_number: str | None
    currency: str
    subtotal_cents: int
    discount_cents: int
    tax_amount_cents: int
    tax_included_cents: int
    excess_cents: int
    total_cents: int
    amount_credited_cents: int
    amount_paid_cents: int
    amount_due_cents: int
    period_start: dt.datetime | None
    period_end: dt.datetime | None
    due_date: dt.datetime | None
    memo: str | None
    lines: list[InvoiceLineOut]
    discounts: list[InvoiceDiscountOut]
    taxes: list[InvoiceTaxOut]
    metadata: dict[str, str]
    finalized_at: dt.datetime | None
    sent_at: dt.datetime | None
    overdue_at: dt.datetime | None
    paid_at: dt.datetime | None
    voided_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime
    hosted_invoice_url: str | None


class MeOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The person signed in, with everywhere they belong."""

    id: str
    object: str = "user"
    email: str
    name: str
    is_email_verified: bool
    has_second_factor: bool
    memberships: list[MembershipOut]
    created_at: dt.datetime


class MemberOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A person's place in an organization; `email` is where they were invited, if they were."""

    id: str
    object: str = "member"
    user_id: str | None
    email: str | None
    role: Role
    status: MemberStatus
    invited_until: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class MembershipOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """An organization one belongs to, and as what."""

    organization_id: str
    name: str
    mode: Mode
    role: Role


class MeterOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One meter."""

    id: str
    object: str = "meter"
    name: str
    key: str
    aggregation: Aggregation
    property: str | None
    thresholds: list[int]
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class MeterUsageOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What one meter counted, and what that costs so far."""

    meter_id: str | None
    key: str | None
    name: str | None
    aggregation: Aggregation
    period_start: dt.datetime
    period_end: dt.datetime
    event_count: int
    quantity: int
    amount_cents: int


class MethodSetupOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Either the method that is kept now, or where its holder has to act first."""

    object: str = "payment_method_setup"
    status: str
    next_action_url: str | None
    payment_method: WidePaymentMethodOut | None


class MrrOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Monthly recurring revenue: `opening` and all movements make what it is at the end."""

    currency: str
    timezone: str
    from_: str
    to: str
    interval: Interval
    object: str = "mrr_report"
    opening_cents: int
    series: list[MrrPartOut]
    totals: MrrPartOut
    arr_cents: int
    gross_retention_percent: Decimal | None
    net_retention_percent: Decimal | None


class MrrPartOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How the recurring revenue moved, and what it is at the end."""

    start: str | None
    new_cents: int
    expansion_cents: int
    contraction_cents: int
    churn_cents: int
    reactivation_cents: int
    net_cents: int
    mrr_cents: int


class NewApiKey(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A key for a program; without an expiry it works until it is revoked.

    With `allowedAddresses` it works from there only.
    """

    name: str
    scopes: list[str]
    allowed_addresses: list[str] | UnsetType = UNSET
    expires_at: dt.datetime | UnsetType | None = UNSET


class NewBalances(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A file of at most a thousand opening balances."""

    content: str
    format: FileFormat | UnsetType = UNSET


class NewCoupon(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A coupon to offer: either `percentOff`, a decimal as text, or `amountOffCents`."""

    name: str
    duration: CouponDuration
    percent_off: str | UnsetType | None = UNSET
    amount_off_cents: int | UnsetType | None = UNSET
    currency: str | UnsetType | None = UNSET
    months: int | UnsetType | None = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class NewCreditNote(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What to take back: `lines`, or `amountCents`, or neither for all that is left."""

    invoice_id: str
    lines: list[CreditedLineBody] | UnsetType = UNSET
    amount_cents: int | UnsetType | None = UNSET
    destination: CreditDestination | UnsetType = UNSET
    reason: str | UnsetType | None = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class NewCustomer(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A customer to create; the currency defaults to the organization's."""

    email: str
    name: str
    currency: str | UnsetType | None = UNSET
    tax_id: str | UnsetType | None = UNSET
    tax_treatment: TaxTreatment | UnsetType = UNSET
    address: Address | UnsetType | None = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class NewHold(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How much to set aside, and until when; a week unless it is said."""

    amount_cents: int
    currency: str | UnsetType | None = UNSET
    expires_at: dt.datetime | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class NewImport(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A file of at most a thousand rows, as text; CSV has a head that names its columns."""

    content: str
    format: FileFormat | UnsetType = UNSET


class NewInvoice(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A draft for a customer, in the customer's currency."""

    customer_id: str
    lines: list[LineBody] | UnsetType = UNSET
    discounts: list[DiscountBody] | UnsetType = UNSET
    currency: str | UnsetType | None = UNSET
    due_date: dt.datetime | UnsetType | None = UNSET
    memo: str | UnsetType | None = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class NewMeter(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A meter to define; `property` says where an event tells its value, if not in `quantity`."""

    name: str
    key: str
    aggregation: Aggregation
    property: str | UnsetType | None = UNSET
    thresholds: list[int] | UnsetType = UNSET


class NewMethod(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A token of the payment provider, and whose method it becomes.

    It becomes the one that is charged, unless `default` is false and there is one already.
    """

    customer_id: str
    provider_token: str
    default: bool | UnsetType = UNSET


class NewOrganization(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """An organization to found; only a live one touches real money."""

    name: str
    currency: str | UnsetType = UNSET
    timezone: str | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    invoice_prefix: str | UnsetType = UNSET
    net_terms_days: int | UnsetType = UNSET
    reactivation_grace_days: int | UnsetType = UNSET
    is_credit_applied: bool | UnsetType = UNSET
    dunning: DunningBody | UnsetType | None = UNSET
    invoice_numbering: NumberScope | UnsetType = UNSET
    has_yearly_numbers: bool | UnsetType = UNSET


class NewPassword(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The token from a mail, and the password to have from now on."""

    token: str
    password: str


class NewPlan(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A plan to publish; with a meter, its own price is for what was used."""

    name: str
    pricing_model: PricingModel
    billing_interval: BillingInterval
    description: str | UnsetType | None = UNSET
    amount_cents: int | UnsetType = UNSET
    unit_amount_decimal: str | UnsetType = UNSET
    tiers: list[TierBody] | UnsetType = UNSET
    package_size: int | UnsetType | None = UNSET
    meter_id: str | UnsetType | None = UNSET
    charges: list[ChargeBody] | UnsetType = UNSET
    trial_period_days: int | UnsetType = UNSET
    currency: str | UnsetType | None = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class NewRecurringInvoice(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A template for a customer, in the customer's currency; it starts now if nothing is said."""

    customer_id: str
    lines: list[RecurringLineBody]
    interval: RecurringInterval
    interval_count: int | UnsetType = UNSET
    start_date: dt.datetime | UnsetType | None = UNSET
    end_date: dt.datetime | UnsetType | None = UNSET
    currency: str | UnsetType | None = UNSET
    auto_finalize: bool | UnsetType = UNSET
    auto_send: bool | UnsetType = UNSET
    memo: str | UnsetType | None = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class NewSavedView(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A list to keep; `query` is what stands in its address after the question mark."""

    name: str
    list: str
    query: str | UnsetType = UNSET
    shared: bool | UnsetType = UNSET


class NewSubscription(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A subscription to create.

    `couponId` comes before `couponIds`; `trialEnd: null` is none.
    """

    customer_id: str
    plan_id: str
    quantity: int | UnsetType = UNSET
    billing_anchor_day: int | UnsetType | None = UNSET
    start_date: dt.datetime | UnsetType | None = UNSET
    trial_end: dt.datetime | UnsetType | None = UNSET
    coupon_id: str | UnsetType | None = UNSET
    coupon_ids: list[str] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class NewTaxRate(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A rate to introduce; all categories but `standard` are of zero percent."""

    name: str
    percentage: str
    inclusive: bool | UnsetType = UNSET
    category: TaxCategory | UnsetType = UNSET
    country: str | UnsetType | None = UNSET
    note: str | UnsetType | None = UNSET
    automatic: bool | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class NewTransfer(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """An amount to move.

    Without `fromWalletId` it is the caller's own wallet.
    """

    to_wallet_id: str
    amount_cents: int
    from_wallet_id: str | UnsetType | None = UNSET
    currency: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class NewTransferItem(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One of many.

    The same `idempotencyKey` never moves money twice, in whatever batch it is.
    """

    to_wallet_id: str
    amount_cents: int
    from_wallet_id: str | UnsetType | None = UNSET
    currency: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    idempotency_key: str | UnsetType | None = UNSET


class NewUsage(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A usage event.

    `idempotencyKey` is its own for ever: told twice, it counts once.
    """

    subscription_id: str
    idempotency_key: str
    quantity: int
    timestamp: dt.datetime
    meter_id: str | UnsetType | None = UNSET
    properties: dict[str, str | int] | UnsetType = UNSET


class NewUsageBatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Up to 1,000 usage events, each judged by itself."""

    events: list[NewUsage]


class NewWallet(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A wallet for a customer, in their currency; without one it is the organization's own."""

    customer_id: str | UnsetType | None = UNSET
    currency: str | UnsetType | None = UNSET
    name: str | UnsetType = UNSET
    transfer_limit_cents: int | UnsetType | None = UNSET
    daily_limit_cents: int | UnsetType | None = UNSET
    provoke_credit: Provocation | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class NewWebhookSubscription(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """An endpoint and what it wants to hear of; `*` is everything but `audit.checkpoint`.

    What it does not take is tried again by its `retryPolicy`: `standard` after 1 min, 5
    min, 30 min, 2 h and 12 h, `fast` after 1, 2, 4, 8 and 16 s, or after
    `retryDelaysSeconds`, if given. With `hasBodySignature` false, `X-Webhook-Signature` is
    left out of what is sent: it covers no time, so whoever records a delivery could send it
    again. `webhook-signature` is always there.
    """

    url: str
    event_types: list[str]
    description: str | UnsetType | None = UNSET
    retry_policy: NamedPolicy | UnsetType | None = UNSET
    retry_delays_seconds: list[int] | UnsetType | None = UNSET
    has_body_signature: bool | UnsetType = UNSET


class OrganizationOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One organization with its settings."""

    id: str
    object: str = "organization"
    name: str
    currency: str
    timezone: str
    mode: Mode
    invoice_prefix: str
    net_terms_days: int
    reactivation_grace_days: int
    is_credit_applied: bool
    dunning: DunningPolicyOut | None
    invoice_grace_hours: int
    has_zero_invoices: bool
    has_consolidated_invoices: bool
    invoice_numbering: NumberScope
    has_yearly_numbers: bool
    deleted_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class OrganizationPatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Settings to change."""

    name: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    timezone: str | UnsetType = UNSET
    invoice_prefix: str | UnsetType = UNSET
    net_terms_days: int | UnsetType = UNSET
    reactivation_grace_days: int | UnsetType = UNSET
    is_credit_applied: bool | UnsetType = UNSET
    dunning: DunningBody | UnsetType | None = UNSET
    invoice_grace_hours: int | UnsetType = UNSET
    has_zero_invoices: bool | UnsetType = UNSET
    has_consolidated_invoices: bool | UnsetType = UNSET
    invoice_numbering: NumberScope | UnsetType = UNSET
    has_yearly_numbers: bool | UnsetType = UNSET


class OtherPassword(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The password one has, and the one to have from now on."""

    current_password: str
    password: str


class PageMeta(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Where this piece stands: a page among all of them, or what to give as `after` next."""

    page: int | None = None
    page_size: int | None = None
    total_count: int | None = None
    total_pages: int | None = None
    next_cursor: str | None = None


class PartialRefundBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How much to give back, and why."""

    amount_cents: int
    reason: str | UnsetType | None = UNSET


class Pause(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Which queue nobody should work, and why."""

    queue: Literal["integrations", "invoices", "notifications", "payments", "usage"]
    reason: str


class PauseBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Why nothing is to be done for now."""

    reason: str


class PayBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How to pay.

    The two URLs are where the hosted page leads back to.
    """

    mode: Literal["charge", "checkout", "wallet"] | UnsetType = UNSET
    payment_method_id: str | UnsetType | None = UNSET
    wallet_id: str | UnsetType | None = UNSET
    success_url: str | UnsetType | None = UNSET
    cancel_url: str | UnsetType | None = UNSET


class PaymentMethodOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One stored method.

    The customer's `defaultPaymentMethodId` names the one that is charged.
    """

    id: str
    object: str = "payment_method"
    customer_id: str
    type: str
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
    provider: str
    stripe_payment_method_id: str
    detached_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class PaymentOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One attempt.

    `creditedCents` of it became the customer's credit, not the invoice's. The last three
    tell what an accountant recorded who saw the money come.
    """

    id: str
    object: str = "payment"
    purpose: PaymentPurpose
    invoice_id: str | None
    customer_id: str | None
    wallet_id: str | None
    amount_cents: int
    refunded_cents: int
    refundable_cents: int
    currency: str
    status: PaymentStatus
    mode: PaymentMode
    provider: str
    stripe_payment_intent_id: str | None
    checkout_url: str | None
    next_action_url: str | None
    failure_code: str | None
    failure_message: str | None
    attempt_count: int
    is_credited: bool
    credited_cents: int
    receipt_method: ReceiptMethod | None
    received_at: dt.datetime | None
    reference: str | None
    expires_at: dt.datetime | None
    settled_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class PaymentStarted(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The attempt, and where the customer must go, if anywhere."""

    payment: WidePaymentOut
    checkout_url: str | None
    next_action_url: str | None


class PaymentsOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What was collected, and how often it failed."""

    currency: str
    timezone: str
    from_: str
    to: str
    interval: Interval
    object: str = "payments_report"
    series: list[PaymentsPartOut]
    totals: PaymentsPartOut


class PaymentsPartOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Attempts that brought money, and those that did not; `collected` is by the books."""

    start: str | None
    succeeded_count: int
    succeeded_cents: int
    failed_count: int
    failed_cents: int
    collected_cents: int
    success_percent: Decimal | None


class PayoutOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One payout: `amountCents` for the bank, `feeCents` kept of what was collected.

    It is below zero where refunds and disputes outweigh what was collected.
    """

    id: str
    object: str = "payout"
    status: PayoutStatus
    amount_cents: int
    fee_cents: int
    currency: str
    movement_count: int
    failure_code: str | None
    provider: str
    stripe_payout_id: str
    sent_at: dt.datetime
    arrives_at: dt.datetime
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class PendingLineOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A line of a subscription that waits for its next invoice."""

    id: str
    object: str = "pending_line"
    customer_id: str
    subscription_id: str
    kind: PendingKind
    description: str
    quantity: int
    unit_amount_decimal: Decimal
    amount_cents: int
    currency: str
    period_start: dt.datetime
    period_end: dt.datetime
    due_at: dt.datetime
    created_at: dt.datetime


class PermissionOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One permission: which roles and scopes hold it, and whether the caller does."""

    permission: Permission
    roles: list[Role]
    scopes: list[str]
    is_held: bool


class PlanChange(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Another plan at its current prices; the same plan means its current prices."""

    plan_id: str
    quantity: int | UnsetType | None = UNSET
    proration: Proration | UnsetType = UNSET


class PlanOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One plan, with the current version of its prices."""

    id: str
    object: str = "plan"
    name: str
    description: str | None
    status: PlanStatus
    currency: str
    billing_interval: BillingInterval
    trial_period_days: int
    price_id: str
    price_version: int
    pricing_model: PricingModel
    amount_cents: int | None
    unit_amount_decimal: Decimal | None
    package_size: int | None
    tiers: list[TierOut]
    meter_id: str | None
    charges: list[ChargeOut]
    metadata: dict[str, str]
    archived_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class PlanPatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What to change.

    Another `pricingModel` starts a new price; `charges` replaces all of them.
    """

    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    trial_period_days: int | UnsetType = UNSET
    pricing_model: PricingModel | UnsetType = UNSET
    amount_cents: int | UnsetType = UNSET
    unit_amount_decimal: str | UnsetType = UNSET
    tiers: list[TierBody] | UnsetType = UNSET
    package_size: int | UnsetType | None = UNSET
    meter_id: str | UnsetType | None = UNSET
    charges: list[ChargeBody] | UnsetType = UNSET
    metadata: dict[str, str | None] | UnsetType | None = UNSET


class PostingOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One accounting move: what caused it, and entries that sum to zero."""

    id: str
    object: str = "ledger_posting"
    kind: str
    source_id: str
    description: str
    corrects_id: str | None
    entries: list[EntryOut]
    occurred_at: dt.datetime
    recorded_at: dt.datetime


class Proof(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The password once more."""

    password: str


class QueueChanged(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Whether anything changed; the same again changes nothing."""

    is_changed: bool


class QueueDecisionOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What somebody decided about a queue or its dead letters."""

    object: str = "queue_decision"
    decision: str
    queue: str
    job_ids: list[int]
    decided_by: str
    reason: str | None
    decided_at: dt.datetime


class QueueOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One queue.

    `finished`, `failed` and the seconds are of the last quarter of an hour.
    """

    object: str = "queue"
    queue: str
    waiting: int
    running: int
    held: int
    oldest_seconds: int
    finished: int
    failed: int
    mean_ms: int
    p95_ms: int
    is_paused: bool
    paused_by: str | None
    paused_reason: str | None


class ReceiptBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What came, how, and when; `reference` is what the bank calls it."""

    amount_cents: int
    method: ReceiptMethod
    received_at: dt.datetime
    reference: str | UnsetType | None = UNSET


class RecoveryCodes(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Each signs in once where the authenticator is lost; they are shown this once."""

    recovery_codes: list[str]


class RecurringInvoiceOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One template.

    `occurrences` counts those that have passed; the next falls at `nextDate`.
    """

    id: str
    object: str = "recurring_invoice"
    customer_id: str
    status: RecurringStatus
    currency: str
    lines: list[RecurringLineOut]
    interval: RecurringInterval
    interval_count: int
    timezone: str
    start_date: dt.datetime
    end_date: dt.datetime | None
    next_date: dt.datetime | None
    occurrences: int
    last_invoice_id: str | None
    auto_finalize: bool
    auto_send: bool
    memo: str | None
    metadata: dict[str, str]
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class RecurringInvoicePatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What to change from the next invoice on.

    `lines` replaces all of them.
    """

    lines: list[RecurringLineBody] | UnsetType = UNSET
    end_date: dt.datetime | UnsetType | None = UNSET
    auto_finalize: bool | UnsetType = UNSET
    auto_send: bool | UnsetType = UNSET
    memo: str | UnsetType | None = UNSET
    metadata: dict[str, str | None] | UnsetType | None = UNSET


class RecurringLineBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One line: what, how many, and the price of one in minor units, whole or as a decimal.

    Without `taxRateIds` it bears the automatic rates; an empty list means none.
    """

    description: str
    quantity: int | UnsetType = UNSET
    unit_amount_cents: int | UnsetType = UNSET
    unit_amount_decimal: str | UnsetType = UNSET
    tax_rate_id: str | UnsetType = UNSET
    tax_rate_ids: list[str] | UnsetType = UNSET


class RecurringLineOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A line that every invoice of the template gets; without `taxRateIds`, automatic rates."""

    description: str
    quantity: int
    unit_amount_cents: int | None
    unit_amount_decimal: Decimal
    tax_rate_ids: list[str] | None


class RefreshBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A refresh token, which works once."""

    refresh_token: str


class RefundBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Why.

    The provider is told `duplicate`, `fraudulent` and `requested_by_customer`.
    """

    reason: str | UnsetType | None = UNSET


class RefundOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One refund.

    A failed one gave nothing back: the payment may be refunded again.
    """

    id: str
    object: str = "refund"
    payment_id: str
    invoice_id: str | None
    customer_id: str | None
    status: RefundStatus
    amount_cents: int
    currency: str
    reason: str | None
    provider: str
    stripe_refund_id: str | None
    failure_code: str | None
    failure_message: str | None
    settled_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class RejectedUsageOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """An event that was not taken: its place in the request, and why."""

    index: int
    code: str
    message: str


class Replay(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A stretch of the log: from an instant on, before another (now, when left out).

    `failed` takes up what failed; `all` sends everything of the stretch that does not wait
    already.
    """

    from_: dt.datetime
    to: dt.datetime | UnsetType | None = UNSET
    scope: ReplayScope | UnsetType = UNSET
    event_types: list[str] | UnsetType = UNSET
    per_second: int | UnsetType = UNSET


class ReplayOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How many deliveries go out again.

    `nextFrom` is null when that is all; else the stretch had too many, and a replay from
    there on takes up the rest.
    """

    webhook_subscription_id: str
    object: str = "webhook_replay"
    delivery_count: int
    next_from: dt.datetime | None


class Resumption(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Which queue is to be worked again."""

    queue: Literal["integrations", "invoices", "notifications", "payments", "usage"]


class RevenueOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What was earned and what came in."""

    currency: str
    timezone: str
    from_: str
    to: str
    interval: Interval
    object: str = "revenue_report"
    series: list[RevenuePartOut]
    totals: RevenuePartOut


class RevenuePartOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What was earned, by the books: `net` is revenue less refunds and bad debt."""

    start: str | None
    revenue_cents: int
    refunded_cents: int
    bad_debt_cents: int
    net_cents: int
    collected_cents: int


class RolePatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What a member is from now on."""

    role: Role


class Rotation(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """How long the old key works beside the new one, and until when the new one does."""

    overlap_seconds: int | UnsetType = UNSET
    expires_at: dt.datetime | UnsetType | None = UNSET


class RowFaultOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What is wrong with a field of a row; rows are counted from one, without the head."""

    row: int
    field: str
    message: str
    code: str


class SavedViewOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One list of the console as it was saved; `query` is what stands in its address."""

    id: str
    object: str = "saved_view"
    name: str
    list: str
    query: str
    shared: bool
    own: bool
    created_at: dt.datetime
    updated_at: dt.datetime


class SavedViewPatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What is to be different."""

    name: str | UnsetType = UNSET
    query: str | UnsetType = UNSET
    shared: bool | UnsetType = UNSET


class ScheduledOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What is agreed to from the next period on."""

    plan_id: str
    price_version: int
    quantity: int


class Session(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A pair of tokens, and whose they are."""

    access_token: str
    refresh_token: str
    expires_in: int
    user: UserOut


class SessionOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Somebody signed in, somewhere.

    `address` is the last one it was used from.
    """

    id: str
    object: str = "session"
    is_current: bool
    address: str | None
    user_agent: str | None
    created_at: dt.datetime
    last_used_at: dt.datetime
    expires_at: dt.datetime


class SetupBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A token of the payment provider, whose method it becomes, and where its holder comes
    back to.

    `returnUrl` must lead to this installation.
    """

    customer_id: str
    provider_token: str
    default: bool | UnsetType = UNSET
    return_url: str | UnsetType | None = UNSET


class SignInBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Who one is, and the proof; `code` is of the second factor, or a recovery code."""

    email: str
    password: str
    code: str | UnsetType | None = UNSET


class SignUpBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A new person; with `organizationName`, also an organization of their own."""

    email: str
    password: str
    name: str
    organization_name: str | UnsetType | None = UNSET


class StatementLineOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One posting as the account sees it: above zero it holds more than before, below zero
    less.
    """

    id: str
    object: str = "statement_line"
    kind: str
    source_id: str
    description: str
    amount_cents: int
    balance_cents: int
    currency: str
    occurred_at: dt.datetime
    recorded_at: dt.datetime


class StepOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A status and when the transfer arrived at it."""

    status: TransferStatus
    at: dt.datetime


class SteppedSubscriptionOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A subscription after a step; `lines` is what the step leaves for the next invoice."""

    id: str
    object: str = "subscription"
    customer_id: str
    plan_id: str
    price_version: int
    status: SubscriptionStatus
    quantity: int
    billing_anchor_day: int
    start_date: dt.datetime
    current_period_start: dt.datetime
    current_period_end: dt.datetime
    trial_end: dt.datetime | None
    scheduled_change: ScheduledOut | None
    coupons: list[GivenCouponOut]
    cancel_at_period_end: bool
    cancellation_reason: str | None
    canceled_at: dt.datetime | None
    paused_at: dt.datetime | None
    ended_at: dt.datetime | None
    metadata: dict[str, str]
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime
    lines: list[SubscriptionLineOut]


class Stop(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """When the time stops: now, or, where nothing has happened yet, at a moment in the past."""

    now: dt.datetime | UnsetType | None = UNSET


class SubscriptionCreated(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A new endpoint.

    `secret` signs what is sent to it; it is shown this once.
    """

    id: str
    object: str = "webhook_subscription"
    url: str
    event_types: list[str]
    description: str | None
    retry_policy: RetryPolicy
    retry_delays_seconds: list[int]
    has_body_signature: bool
    status: EndpointStatus
    is_active: bool
    paused_at: dt.datetime | None
    off_reason: OffReason | None
    off_at: dt.datetime | None
    rotation_ends_at: dt.datetime | None
    deleted_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime
    secret: str


class SubscriptionLineOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A line for the next invoice; below zero it gives money back.

    Coupons come off on the invoice. A proration is net of coupons already.
    """

    kind: PendingKind
    description: str
    quantity: int
    unit_amount_decimal: Decimal
    amount_cents: int
    currency: str
    period_start: dt.datetime
    period_end: dt.datetime
    due_at: dt.datetime


class SubscriptionOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One subscription.

    `canceledAt` is when that was asked for, `endedAt` when it took effect.
    """

    id: str
    object: str = "subscription"
    customer_id: str
    plan_id: str
    price_version: int
    status: SubscriptionStatus
    quantity: int
    billing_anchor_day: int
    start_date: dt.datetime
    current_period_start: dt.datetime
    current_period_end: dt.datetime
    trial_end: dt.datetime | None
    scheduled_change: ScheduledOut | None
    coupons: list[GivenCouponOut]
    cancel_at_period_end: bool
    cancellation_reason: str | None
    canceled_at: dt.datetime | None
    paused_at: dt.datetime | None
    ended_at: dt.datetime | None
    metadata: dict[str, str]
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class SubscriptionPatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What to change.

    Coupons replace those it has, from the next period on.
    """

    quantity: int | UnsetType = UNSET
    proration: Proration | UnsetType = UNSET
    coupon_id: str | UnsetType | None = UNSET
    coupon_ids: list[str] | UnsetType = UNSET
    metadata: dict[str, str | None] | UnsetType | None = UNSET


class TaxRateOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One tax rate; an inclusive one is a part of the price, any other comes on top of it."""

    id: str
    object: str = "tax_rate"
    name: str
    percentage: Decimal
    inclusive: bool
    category: TaxCategory
    country: str | None
    note: str | None
    automatic: bool
    status: TaxRateStatus
    metadata: dict[str, str]
    archived_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class TestEvent(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What to send: an event about the endpoint itself, or a sample of a type."""

    event_type: str | UnsetType | None = UNSET


class TierBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Units up to and including `upTo` (null: all further ones) and what they cost."""

    up_to: int | UnsetType | None = UNSET
    unit_amount_cents: int | UnsetType = UNSET
    unit_amount_decimal: str | UnsetType = UNSET
    flat_amount_cents: int | UnsetType = UNSET


class TierOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One tier: units up to and including `upTo`, and what they cost."""

    up_to: int | None
    unit_amount_cents: int | None
    unit_amount_decimal: Decimal
    flat_amount_cents: int


class TimelineEntryOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One line of a resource's history, as people read it."""

    event_id: str
    event_type: str
    occurred_at: dt.datetime
    actor: str
    reason: str | None
    sequence: int
    previous_attributes: Any


class TokenBody(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The token from a mail."""

    token: str


class Tokens(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A pair of tokens; the access token lives for `expiresIn` seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


class Transfer(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Who owns the organization from now on."""

    member_id: str


class TransferBatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Many transfers, taken in this order."""

    transactions: list[NewTransferItem]


class TransferBatchOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What became of each, in the order in which they were asked for."""

    object: str = "transaction_batch"
    accepted: int
    refused: int
    results: list[TransferResultOut]


class TransferOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One transfer with every step it took, oldest first."""

    id: str
    object: str = "transaction"
    from_wallet_id: str
    to_wallet_id: str
    amount_cents: int
    currency: str
    status: TransferStatus
    failure_code: CreditFailure | None
    description: str | None
    metadata: dict[str, str]
    history: list[StepOut]
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class TransferResultOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What became of one of many: a transaction, or an error as it would be for it alone."""

    index: int
    status: int
    transaction: TransferOut | None
    error: ErrorBody | None


class TrialBalanceOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """All accounts of one currency.

    The two totals are equal, or something is very wrong.
    """

    object: str = "trial_balance"
    currency: str
    rows: list[TrialBalanceRowOut]
    debit_cents: int
    credit_cents: int
    is_balanced: bool


class TrialBalanceRowOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One account's line: its sum stands on the side it is on."""

    account: str
    kind: AccountKind
    debit_cents: int
    credit_cents: int


class UsageBatchOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What became of a batch: taken, known already, and not taken."""

    accepted: int
    duplicates: int
    rejected: list[RejectedUsageOut]


class UsageEventOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One usage event.

    Without a meter it is counted, and not billed.
    """

    id: str
    object: str = "usage_event"
    subscription_id: str
    meter_id: str | None
    idempotency_key: str
    quantity: int
    timestamp: dt.datetime
    properties: dict[str, str | int]
    created_at: dt.datetime


class UsageSummaryOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What a subscription used in a period, by meter, and what that costs so far."""

    object: str = "usage_summary"
    subscription_id: str
    period_start: dt.datetime
    period_end: dt.datetime
    total_quantity: int
    currency: str
    amount_cents: int
    meters: list[MeterUsageOut]
    computed_at: dt.datetime


class UserOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One person."""

    id: str
    object: str = "user"
    email: str
    name: str
    is_email_verified: bool
    created_at: dt.datetime


class WalletBalanceOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What a wallet has, and how much of that may be spent."""

    wallet_id: str
    object: str = "wallet_balance"
    currency: str
    balance_cents: int
    held_cents: int
    available_cents: int


class WalletEntryOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One line of a wallet's history: above zero came in, below zero went out."""

    id: str
    object: str = "wallet_entry"
    kind: str
    source_id: str
    description: str
    amount_cents: int
    balance_cents: int
    currency: str
    occurred_at: dt.datetime
    created_at: dt.datetime


class WalletOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One wallet.

    What is available is the balance without what open holds set aside.
    """

    id: str
    object: str = "wallet"
    name: str
    owner_type: str
    customer_id: str | None
    user_id: str | None
    status: WalletStatus
    currency: str
    balance_cents: int
    held_cents: int
    available_cents: int
    transfer_limit_cents: int | None
    daily_limit_cents: int | None
    provoke_credit: Provocation
    metadata: dict[str, str]
    closed_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class WalletPatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What may be changed at will; null takes a limit away, `metadata` is merged."""

    name: str | UnsetType = UNSET
    transfer_limit_cents: int | UnsetType | None = UNSET
    daily_limit_cents: int | UnsetType | None = UNSET
    provoke_credit: Provocation | UnsetType = UNSET
    metadata: dict[str, str | None] | UnsetType | None = UNSET


class WebhookSubscriptionOut(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One endpoint.

    `status` is `active`, `paused` (what happens waits for it) or `off` (what happens passes
    it by). Until `rotationEndsAt` the secret before the current one signs as well. What it
    does not take is tried again after each of `retryDelaysSeconds`, give or take a tenth.
    Without `hasBodySignature` nothing that is sent carries `X-Webhook-Signature`.
    """

    id: str
    object: str = "webhook_subscription"
    url: str
    event_types: list[str]
    description: str | None
    retry_policy: RetryPolicy
    retry_delays_seconds: list[int]
    has_body_signature: bool
    status: EndpointStatus
    is_active: bool
    paused_at: dt.datetime | None
    off_reason: OffReason | None
    off_at: dt.datetime | None
    rotation_ends_at: dt.datetime | None
    deleted_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class WebhookSubscriptionPatch(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What to change; `eventTypes` and `retryDelaysSeconds` are replaced whole."""

    url: str | UnsetType = UNSET
    event_types: list[str] | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    retry_policy: NamedPolicy | UnsetType = UNSET
    retry_delays_seconds: list[int] | UnsetType = UNSET
    has_body_signature: bool | UnsetType = UNSET


class Welcome(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A pair of tokens, whose they are, and the organization that was founded."""

    access_token: str
    refresh_token: str
    expires_in: int
    user: UserOut
    organization: OrganizationOut | None


class WideCreditBalanceOut(CreditBalanceOut, kw_only=True, frozen=True):
    """CreditBalanceOut, with what `expand` brought along."""

    customer: CustomerOut | None = None


class WideCreditNoteOut(CreditNoteOut, kw_only=True, frozen=True):
    """CreditNoteOut, with what `expand` brought along."""

    customer: CustomerOut | None = None
    invoice: InvoiceOut | None = None


class WideDisputeOut(DisputeOut, kw_only=True, frozen=True):
    """DisputeOut, with what `expand` brought along."""

    customer: CustomerOut | None = None
    invoice: InvoiceOut | None = None


class WideDunningOut(DunningOut, kw_only=True, frozen=True):
    """DunningOut, with what `expand` brought along."""

    customer: CustomerOut | None = None
    invoice: InvoiceOut | None = None
    subscription: WideSubscriptionOut | None = None


class WideEmailOut(EmailOut, kw_only=True, frozen=True):
    """EmailOut, with what `expand` brought along."""

    invoice: InvoiceOut | None = None


class WideLinkedInvoice(LinkedInvoice, kw_only=True, frozen=True):
    """LinkedInvoice, with what `expand` brought along."""

    customer: CustomerOut | None = None
    subscription: WideSubscriptionOut | None = None


class WidePaymentMethodOut(PaymentMethodOut, kw_only=True, frozen=True):
    """PaymentMethodOut, with what `expand` brought along."""

    customer: CustomerOut | None = None


class WidePaymentOut(PaymentOut, kw_only=True, frozen=True):
    """PaymentOut, with what `expand` brought along."""

    customer: CustomerOut | None = None
    invoice: InvoiceOut | None = None


class WidePendingLineOut(PendingLineOut, kw_only=True, frozen=True):
    """PendingLineOut, with what `expand` brought along."""

    customer: CustomerOut | None = None
    subscription: WideSubscriptionOut | None = None


class WideRecurringInvoiceOut(RecurringInvoiceOut, kw_only=True, frozen=True):
    """RecurringInvoiceOut, with what `expand` brought along."""

    customer: CustomerOut | None = None


class WideRefundOut(RefundOut, kw_only=True, frozen=True):
    """RefundOut, with what `expand` brought along."""

    customer: CustomerOut | None = None
    invoice: InvoiceOut | None = None


class WideSubscriptionOut(SubscriptionOut, kw_only=True, frozen=True):
    """SubscriptionOut, with what `expand` brought along."""

    customer: CustomerOut | None = None
    plan: PlanOut | None = None


class WideUsageEventOut(UsageEventOut, kw_only=True, frozen=True):
    """UsageEventOut, with what `expand` brought along."""

    subscription: WideSubscriptionOut | None = None


class WideUsageSummaryOut(UsageSummaryOut, kw_only=True, frozen=True):
    """UsageSummaryOut, with what `expand` brought along."""

    subscription: WideSubscriptionOut | None = None


class WideWalletOut(WalletOut, kw_only=True, frozen=True):
    """WalletOut, with what `expand` brought along."""

    customer: CustomerOut | None = None
