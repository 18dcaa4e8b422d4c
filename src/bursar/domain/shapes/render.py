"""Which shape a noun has, and what the event log keeps of it.

Rendered once, in the transaction that makes it true: the audit trail, webhooks and the feed pass on
these bytes. A new kind of row is one line in the table.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from bursar.domain.api_keys import ApiKeyRecord
from bursar.domain.catalog import Plan
from bursar.domain.checkpoints import Checkpoint
from bursar.domain.credit_notes import CreditNote
from bursar.domain.customers import Customer
from bursar.domain.discounts import Coupon
from bursar.domain.disputes import Dispute
from bursar.domain.document_settings import DocumentSettings
from bursar.domain.dunning import DunningCase
from bursar.domain.event_log import SALT_BYTES, Told
from bursar.domain.events import Row
from bursar.domain.holds import Hold
from bursar.domain.imports import Import
from bursar.domain.invoices import Invoice
from bursar.domain.members import Member
from bursar.domain.meters import Meter
from bursar.domain.orgs import Organization
from bursar.domain.payment_methods import PaymentMethod
from bursar.domain.payments import Payment
from bursar.domain.payouts import Payout
from bursar.domain.recurring_invoices import RecurringInvoice
from bursar.domain.refunds import Refund
from bursar.domain.shapes.api_keys import ApiKeyOut
from bursar.domain.shapes.checkpoints import CheckpointOut
from bursar.domain.shapes.coupons import CouponOut
from bursar.domain.shapes.credit_notes import CreditNoteOut
from bursar.domain.shapes.customers import CustomerOut
from bursar.domain.shapes.disputes import DisputeOut
from bursar.domain.shapes.document_settings import DocumentSettingsOut
from bursar.domain.shapes.dunning import DunningOut
from bursar.domain.shapes.fields import Shape
from bursar.domain.shapes.holds import HoldOut
from bursar.domain.shapes.imports import ImportOut
from bursar.domain.shapes.invoices import InvoiceOut
from bursar.domain.shapes.meters import MeterOut
from bursar.domain.shapes.orgs import MemberOut, OrganizationOut
from bursar.domain.shapes.payment_methods import PaymentMethodOut
from bursar.domain.shapes.payments import PaymentOut
from bursar.domain.shapes.payouts import PayoutOut
from bursar.domain.shapes.plans import PlanOut
from bursar.domain.shapes.recurring_invoices import RecurringInvoiceOut
from bursar.domain.shapes.refunds import RefundOut
from bursar.domain.shapes.subscriptions import SubscriptionOut
from bursar.domain.shapes.tax_rates import TaxRateOut
from bursar.domain.shapes.test_clocks import ClockFactOut
from bursar.domain.shapes.transfers import TransferFactOut
from bursar.domain.shapes.usage import UsageAggregateOut
from bursar.domain.shapes.wallets import WalletOut
from bursar.domain.shapes.webhook_subscriptions import WebhookSubscriptionOut
from bursar.domain.subscriptions import Subscription
from bursar.domain.tax_rates import TaxRate
from bursar.domain.test_clocks import OrgClock
from bursar.domain.transfers import Transfer
from bursar.domain.usage import UsageAggregate
from bursar.domain.wallets import Wallet
from bursar.domain.webhook_subscriptions import WebhookSubscription

# Every change moves these; telling so would say nothing.
_ALWAYS_DIFFERENT: Final = frozenset({"created_at", "updated_at", "version"})

_REMEMBERED: Final = 61  # a prime: rows that are made in turn lie at even distances
_ALIGNED: Final = 16
_LINES_REMEMBERED_MAX: Final = 20
_lately: Final[list[tuple[Row, Shape] | None]] = [None] * _REMEMBERED
_written: Final[list[tuple[Shape, bytes] | None]] = [None] * _REMEMBERED


class Rendering(Struct, frozen=True):
    """How one kind of row is shown."""

    resource_type: str
    shape: type[Shape]
    of: Callable[[Any], Shape]


RENDERINGS: Final[dict[type, Rendering]] = {
    Organization: Rendering("organization", OrganizationOut, OrganizationOut.of),
    Member: Rendering("member", MemberOut, MemberOut.of),
    ApiKeyRecord: Rendering("api_key", ApiKeyOut, ApiKeyOut.of),
    Customer: Rendering("customer", CustomerOut, CustomerOut.of),
    Plan: Rendering("plan", PlanOut, PlanOut.of),
    Meter: Rendering("meter", MeterOut, MeterOut.of),
    Subscription: Rendering("subscription", SubscriptionOut, SubscriptionOut.of),
    UsageAggregate: Rendering("usage", UsageAggregateOut, UsageAggregateOut.of),
    Coupon: Rendering("coupon", CouponOut, CouponOut.of),
    TaxRate: Rendering("tax_rate", TaxRateOut, TaxRateOut.of),
    Invoice: Rendering("invoice", InvoiceOut, InvoiceOut.of),
    RecurringInvoice: Rendering("recurring_invoice", RecurringInvoiceOut, RecurringInvoiceOut.of),
    DocumentSettings: Rendering("document_settings", DocumentSettingsOut, DocumentSettingsOut.of),
    DunningCase: Rendering("dunning", DunningOut, DunningOut.of),
    CreditNote: Rendering("credit_note", CreditNoteOut, CreditNoteOut.of),
    PaymentMethod: Rendering("payment_method", PaymentMethodOut, PaymentMethodOut.of),
    Import: Rendering("import", ImportOut, ImportOut.of),
    Payment: Rendering("payment", PaymentOut, PaymentOut.of),
    Refund: Rendering("refund", RefundOut, RefundOut.of),
    Dispute: Rendering("dispute", DisputeOut, DisputeOut.of),
    Payout: Rendering("payout", PayoutOut, PayoutOut.of),
    Wallet: Rendering("wallet", WalletOut, WalletOut.of),
    Hold: Rendering("hold", HoldOut, HoldOut.of),
    Transfer: Rendering("transaction", TransferFactOut, TransferFactOut.of),
    WebhookSubscription: Rendering(
        "webhook_subscription", WebhookSubscriptionOut, WebhookSubscriptionOut.of
    ),
    OrgClock: Rendering("test_clock", ClockFactOut, ClockFactOut.of),
    Checkpoint: Rendering("audit", CheckpointOut, CheckpointOut.of),
}


def shape_of(row: Row) -> Shape:
    """What the world sees of a row.

    A row that is told of is answered with a moment later, so the shapes of a few are remembered, by
    the row itself: no row ever changes. Those of long documents would take up too much room.
    """
    slot = _slot(row)
    known = _lately[slot]
    if known is not None and known[0] is row:
        return known[1]
    shape = RENDERINGS[type(row)].of(row)
    if _is_short(row):
        _lately[slot] = row, shape
    return shape


def json_of(shape: Struct) -> bytes:
    """The shape as JSON; what was told of a moment ago is not written again.

    Only what the log keeps is remembered: an answer may hold what is shown once, such as a key.
    """
    known = _written[_slot(shape)]
    return known[1] if known is not None and known[0] is shape else msgspec.json.encode(shape)


def _logged(shape: Shape) -> bytes:
    text = msgspec.json.encode(shape)
    if _is_short(shape):
        _written[_slot(shape)] = shape, text
    return text


def _slot(thing: object) -> int:
    return id(thing) // _ALIGNED % _REMEMBERED


def _is_short(document: object) -> bool:
    return len(getattr(document, "lines", ())) <= _LINES_REMEMBERED_MAX


def resource_type(row: Row) -> str:
    """The resource's name in the event log: `invoice`, `api_key`, …."""
    return RENDERINGS[type(row)].resource_type


def snapshot(row: Row) -> bytes:
    """The row's shape as JSON, as the event log keeps it."""
    return json_of(shape_of(row))


def changed(before: Row | None, row: Row) -> bytes | None:
    """The former values of the visible fields that differ, as JSON; None when nothing was before.

    An empty object says that whatever changed is nobody's business.
    """
    if before is None:
        return None
    assert type(before) is type(row), "a resource does not change its kind"
    return differences(former=shape_of(before), latter=shape_of(row))


def told(*, former: Shape | None, latter: Shape, salt: Callable[[int], bytes]) -> Told:
    """What the log keeps of a change: the masked shapes, and apart what the masks hide."""
    masked = latter.masked()
    snapshot = _logged(masked)
    former_masked = None if former is None else former.masked()
    if masked is latter and former_masked is former:
        previous = None if former is None else differences(former=former, latter=latter)
        return Told(snapshot, previous, None)
    apart: dict[str, dict[str, object]] = {"snapshot": _hidden(latter, masked), "previous": {}}
    previous = None
    if former is not None and former_masked is not None:
        names = _different(former, latter)
        shown = former_masked
        previous = msgspec.json.encode({wire: getattr(shown, name) for name, wire in names})
        hidden = _hidden(former, former_masked)
        apart["previous"] = {wire: hidden[wire] for _, wire in names if wire in hidden}
    if not any(apart.values()):
        return Told(snapshot, previous, None)
    return Told(snapshot, previous, salt(SALT_BYTES) + msgspec.json.encode(apart))


def _hidden(shape: Shape, masked: Shape) -> dict[str, object]:
    """By its wire name, each field that the mask hides."""
    return {wire: getattr(shape, name) for name, wire in _different(shape, masked)}


def differences(*, former: Shape, latter: Shape) -> bytes:
    """The former values of the fields in which two shapes of one resource differ, as JSON."""
    return msgspec.json.encode(
        {wire: getattr(former, name) for name, wire in _different(former, latter)}
    )


def _different(former: Shape, latter: Shape) -> list[tuple[str, str]]:
    """The fields in which two shapes of one resource differ, with their wire names."""
    assert type(former) is type(latter), "a resource does not change its kind"
    names = zip(former.__struct_fields__, former.__struct_encode_fields__, strict=True)
    return [
        (name, wire)
        for name, wire in names
        if name not in _ALWAYS_DIFFERENT and getattr(former, name) != getattr(latter, name)
    ]
