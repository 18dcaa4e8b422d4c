"""Every noun has an id of its own type, printed as `<prefix>_<uuid>`.

Ids are minted by `tx.new_id` (UUIDv7, so they sort by time) and are strings everywhere above the
store; the store keeps the bare UUID. Parsing is strict: printing what was parsed gives the input
back, letter for letter, so two spellings of one id cannot exist.
"""

from functools import lru_cache
from types import MappingProxyType
from typing import Final, NewType
from uuid import UUID

OrgId = NewType("OrgId", str)
UserId = NewType("UserId", str)
MemberId = NewType("MemberId", str)
SessionId = NewType("SessionId", str)
ApiKeyId = NewType("ApiKeyId", str)
CustomerId = NewType("CustomerId", str)
PlanId = NewType("PlanId", str)
PriceId = NewType("PriceId", str)
MeterId = NewType("MeterId", str)
SubscriptionId = NewType("SubscriptionId", str)
CouponId = NewType("CouponId", str)
PendingLineId = NewType("PendingLineId", str)
UsageEventId = NewType("UsageEventId", str)
UsageAggregateId = NewType("UsageAggregateId", str)
InvoiceId = NewType("InvoiceId", str)
InvoiceLineId = NewType("InvoiceLineId", str)
RecurringInvoiceId = NewType("RecurringInvoiceId", str)
PaymentId = NewType("PaymentId", str)
PaymentMethodId = NewType("PaymentMethodId", str)
PayoutId = NewType("PayoutId", str)
DunningCaseId = NewType("DunningCaseId", str)
TaxRateId = NewType("TaxRateId", str)
CreditNoteId = NewType("CreditNoteId", str)
CreditNoteLineId = NewType("CreditNoteLineId", str)
ImportId = NewType("ImportId", str)
RefundId = NewType("RefundId", str)
DisputeId = NewType("DisputeId", str)
WalletId = NewType("WalletId", str)
HoldId = NewType("HoldId", str)
TransferId = NewType("TransferId", str)
LedgerTransactionId = NewType("LedgerTransactionId", str)
AccountId = NewType("AccountId", str)
EventId = NewType("EventId", str)
WebhookSubscriptionId = NewType("WebhookSubscriptionId", str)
DeliveryId = NewType("DeliveryId", str)
MailId = NewType("MailId", str)
ClockId = NewType("ClockId", str)
CheckpointId = NewType("CheckpointId", str)
DocumentSettingsId = NewType("DocumentSettingsId", str)
SavedViewId = NewType("SavedViewId", str)

PREFIXES: Final = frozenset(
    {
        *("org", "usr", "mem", "ses", "key", "cust", "inv", "il", "pay"),
        *("txr", "cn", "cnl", "imp"),
        *("rfd", "dsp", "pm", "po"),
        *("wal", "hld"),
        "txn",
        *("plan", "price", "mtr", "sub", "pl", "ue", "ua", "cpn"),
        *("led", "acct", "evt", "wh", "whd"),
        "mail",
        *("rinv", "dset"),
        "dun",
        "clk",
        "chk",
        "aev",
        "view",
    }
)
PREFIX_OF_RESOURCE: Final = MappingProxyType(
    {
        "organization": "org",
        "member": "mem",
        "api_key": "key",
        "customer": "cust",
        "plan": "plan",
        "meter": "mtr",
        "subscription": "sub",
        "usage": "ua",
        "coupon": "cpn",
        "tax_rate": "txr",
        "credit_note": "cn",
        "import": "imp",
        "invoice": "inv",
        "recurring_invoice": "rinv",
        "document_settings": "dset",
        "payment": "pay",
        "refund": "rfd",
        "dunning": "dun",
        "dispute": "dsp",
        "payment_method": "pm",
        "payout": "po",
        "wallet": "wal",
        "hold": "hld",
        "transaction": "txn",
        "webhook_subscription": "wh",
        "test_clock": "clk",
        "audit": "chk",
    }
)
"""What tells events: the resource's type, as the log keeps it, and the prefix of its ids."""

_REMEMBERED: Final = 4_096  # a request names its organization and its document again and again
_UUID_LENGTH: Final = 36
_VERSION_AT: Final = 14


class MalformedId(ValueError):
    """The text is not an id of the expected noun."""


def print_id(prefix: str, value: UUID) -> str:
    """The wire form of an id: `print_id("inv", uuid)` gives `inv_0190…`."""
    assert prefix in PREFIXES, prefix
    return f"{prefix}_{value}"


@lru_cache(_REMEMBERED)
def parse_id(prefix: str, *, text: str) -> UUID:
    """The UUID inside an id of this noun.

    Raises:
        MalformedId: another prefix, another spelling of the UUID, or not a UUIDv7.
    """
    head, _, tail = text.partition("_")
    if head != prefix or len(tail) != _UUID_LENGTH or tail[_VERSION_AT] != "7":
        raise MalformedId(f"expected {prefix}_<uuid>")
    try:
        value = UUID(tail)
    except ValueError:
        raise MalformedId(f"expected {prefix}_<uuid>") from None
    if str(value) != tail:
        raise MalformedId(f"expected {prefix}_<uuid>")
    return value


@lru_cache(_REMEMBERED)
def uuid_of(text: str) -> UUID:
    """The UUID inside an id whose noun is already known to be right."""
    return UUID(text.partition("_")[2])


def bare(text: str) -> str:
    """The same as text: what the driver turns into a UUID by itself, and sooner than Python."""
    return text.partition("_")[2]


def scope_of(user_id: UserId) -> OrgId:
    """The scope of a person alone, where no organization is: what a transaction is bound to."""
    return OrgId(print_id("org", uuid_of(user_id)))
