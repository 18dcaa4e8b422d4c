"""The law of the billing run: from what is due and what was used to an invoice, line by line.

What subscriptions leave to be billed is taken up as it is; usage is priced when its period is over,
once, and the difference once more when events came late. Both lanes of the run, one subscription or
a thousand at a time, decide here and nowhere else. Refuses to charge anything that is covered.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from msgspec import Struct

from bursar.domain import chart
from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.billed_periods import BilledPeriod, Cover, Step
from bursar.domain.calendars import days_after
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.discounts import Coupon, Reduction
from bursar.domain.events import InvoiceCreated
from bursar.domain.frozen import replace
from bursar.domain.ids import (
    CustomerId,
    InvoiceId,
    InvoiceLineId,
    PaymentId,
    PendingLineId,
    SubscriptionId,
    UsageEventId,
)
from bursar.domain.instant_payments import spend_credit
from bursar.domain.invoice_lines import Charge, InvoiceLine, LineDetails, LineType, charged_line
from bursar.domain.invoices import BillingReason, Invoice, InvoiceNumber, NewDraft, with_lines
from bursar.domain.meters import Meter
from bursar.domain.money import Money, total
from bursar.domain.payment_beginnings import NewPayment
from bursar.domain.payments import PaymentMode, PaymentPurpose, part_due
from bursar.domain.pending_lines import PendingKind, PendingLine
from bursar.domain.pricing import Price
from bursar.domain.tasks import ChargeInvoice
from bursar.domain.taxes import TaxTerms
from bursar.domain.times import Instant, Period, wire_instant
from bursar.domain.usage import Tally

NAMED_EVENTS_MAX: Final = 20
"""Late events that an adjustment names; the others are counted."""

_TYPES: Final = {
    PendingKind.SUBSCRIPTION: LineType.SUBSCRIPTION,
    PendingKind.PRORATION: LineType.PRORATION,
    PendingKind.ADJUSTMENT: LineType.ADJUSTMENT,
}


class Late(Struct, frozen=True):
    """A billed period of a meter for which events came later: what it comes to by now."""

    billed: BilledPeriod
    price: Price
    meter: Meter
    tally: Tally
    event_ids: tuple[UsageEventId, ...]
    known_at: Instant

    @property
    def quantity(self) -> int:
        """How much was used, as it is known now."""
        return self.tally.quantity(self.meter.aggregation)


class Portion(Struct, frozen=True):
    """A step of one subscription with what was used in each of its metered periods.

    Usage that was reported after `known_at`, on the wall clock, is in none of it.
    """

    step: Step
    used: tuple[Tally, ...] = ()
    late: tuple[Late, ...] = ()
    known_at: Instant | None = None

    @property
    def lines(self) -> int:
        """How many lines it has at most."""
        return len(self.step.lines) + len(self.used) + len(self.late)


class Payer(Struct, frozen=True, kw_only=True):
    """Whom an invoice is for, and the organization's terms for it."""

    customer_id: CustomerId
    currency: Currency
    timezone: str
    net_terms_days: int
    grace_hours: int
    has_zero_invoices: bool
    can_be_charged: bool
    credit: Money
    is_credit_applied: bool = True
    taxes: tuple[TaxTerms, ...] = ()


class Occasion(Struct, frozen=True):
    """When it is, in business and on the wall, and where new ids come from."""

    now: Instant
    wall: Instant
    new_id: Callable[[str], str]


class Bill(Struct, frozen=True):
    """Everything one billing decides: an invoice still without a number, and what it covers.

    `corrected` are periods that were billed before and are worth something else by now.
    """

    payer: Payer
    portions: tuple[Portion, ...]
    invoice: Invoice | None
    periods: tuple[BilledPeriod, ...]
    corrected: tuple[BilledPeriod, ...]

    @property
    def taken(self) -> tuple[PendingLineId, ...]:
        """The lines that waited for it."""
        return tuple(each.id for portion in self.portions for each in portion.step.taken)

    @property
    def needs_number(self) -> bool:
        """Whether the invoice is final at once."""
        return self.invoice is not None and not self.payer.grace_hours


def bill(payer: Payer, portions: Sequence[Portion], occasion: Occasion) -> Bill:
    """One invoice for the steps of a customer's subscriptions.

    Raises:
        AmountTooLarge: an amount leaves the exact range.
    """
    billed = [each for portion in portions for each in _lines(payer, portion, occasion.new_id)]
    invoice = None
    if any(not each.line.amount.is_zero for each in billed) or (billed and payer.has_zero_invoices):
        blank = _blank(payer, portions, InvoiceId(occasion.new_id("inv")), occasion.now)
        invoice = _discounted(blank, payer, billed)
    invoice_id = None if invoice is None else invoice.id
    periods = tuple(
        BilledPeriod(portion.step.subscription.id, invoice_id, cover)
        for portion in portions
        for cover in _covered(payer, portion)
    )
    corrected = tuple(_corrected(payer, late) for each in portions for late in each.late)
    return Bill(payer, tuple(portions), invoice, periods, corrected)


def issued(bill: Bill, number: InvoiceNumber | None, occasion: Occasion) -> Change:
    """All of it becomes true: the subscriptions' steps, and the invoice, final or for now a draft.

    An invoice is written once: as it is at the end, beside the facts of how it came there.
    """
    steps = [portion.step for portion in bill.portions]
    parts = [each.change for each in steps]
    if bill.invoice is not None:
        parts.append(_document(bill, bill.invoice, number, occasion))
    looks = tuple(_look(each) for each in steps)
    return Change(
        rows=tuple(row for each in parts for row in each.rows),
        postings=tuple(posting for each in parts for posting in each.postings),
        events=tuple(event for each in parts for event in each.events),
        tasks=tuple(task for each in parts for task in each.tasks),
        agenda=(*looks, *(item for each in parts for item in each.agenda)),
    )


def due_on(payer: Payer, now: Instant) -> Instant:
    """Until when an invoice is to be paid: at once where a payment method is charged for it."""
    if payer.can_be_charged:
        return now
    return days_after(now, payer.net_terms_days, payer.timezone)


def _look(step: Step) -> Due | Undue:
    if step.next_at is None:
        return Undue(DueKind.BILL_SUBSCRIPTION, step.subscription.id)
    return Due(DueKind.BILL_SUBSCRIPTION, step.subscription.id, step.next_at)


def issued_draft(payer: Payer, draft: Invoice, number: InvoiceNumber, occasion: Occasion) -> Change:
    """A draft is final: numbered and booked; credit pays first, then the payment method."""
    now = occasion.now
    final = draft.finalize(number, due_at=draft.due_at or due_on(payer, now), at=now)
    final = _credited(payer, final, occasion)
    opened = _invoice_in(final)
    tasks = final.tasks
    if payer.can_be_charged and opened.due.is_positive:
        tasks = (*tasks, ChargeInvoice(draft.id))
    over = Undue(DueKind.ISSUE_INVOICE, draft.id)
    return replace(final, tasks=tasks, agenda=(*final.agenda, over))


def credit_after(payer: Payer, change: Change) -> Money:
    """What the customer's credit is once a change was booked."""
    code = chart.credit(payer.customer_id, payer.currency).code
    moved = [
        entry.account.balance(entry.amount)
        for posting in change.postings
        for entry in posting.entries
        if entry.account.code == code
    ]
    return payer.credit + total(moved, payer.currency)


def _credited(payer: Payer, final: Change, occasion: Occasion) -> Change:
    opened = _invoice_in(final)
    amount = part_due(opened, payer.credit)
    if not amount.is_positive or not payer.is_credit_applied:
        return final
    payment = NewPayment(
        id=PaymentId(occasion.new_id("pay")),
        purpose=PaymentPurpose.INVOICE,
        mode=PaymentMode.CREDIT,
        amount=amount,
        provider=PaymentMode.CREDIT.value,
        attempt_key=f"finalize:{opened.id}",
        wall=occasion.wall,
        now=occasion.now,
        invoice_id=opened.id,
        customer_id=opened.customer_id,
    )
    return spend_credit(final, payment.pending(), occasion.now)


def _invoice_in(change: Change) -> Invoice:
    (found,) = [row for row in change.rows if isinstance(row, Invoice)]
    return found


def _document(
    bill: Bill, draft: Invoice, number: InvoiceNumber | None, occasion: Occasion
) -> Change:
    """The invoice as it is written: once, with all the facts of how it came to be."""
    created = InvoiceCreated(draft)
    if number is None:
        at = occasion.now + timedelta(hours=bill.payer.grace_hours)
        later = Due(DueKind.ISSUE_INVOICE, draft.id, at)
        return Change(rows=(draft,), events=(created,), agenda=(later,))
    final = issued_draft(bill.payer, draft, number, occasion)
    opened = replace(_invoice_in(final), version=draft.version)
    rest = tuple(row for row in final.rows if not isinstance(row, Invoice))
    return replace(
        final,
        rows=(opened, *rest),
        events=(created, *final.events),
        agenda=tuple(each for each in final.agenda if isinstance(each, Due)),
    )


def _blank(
    payer: Payer, portions: Sequence[Portion], invoice_id: InvoiceId, now: Instant
) -> Invoice:
    steps = [portion.step for portion in portions]
    alone = steps[0] if len(steps) == 1 else None
    return NewDraft(
        id=invoice_id,
        customer_id=payer.customer_id,
        currency=payer.currency,
        at=now,
        billing_reason=_reason(steps),
        subscription_id=None if alone is None else alone.subscription.id,
        period=None if alone is None else alone.subscription.period,
    ).blank()


def _reason(steps: Sequence[Step]) -> BillingReason:
    if all(each.is_first for each in steps):
        return BillingReason.SUBSCRIPTION_CREATE
    if any(each.covers or each.change.rows for each in steps):
        return BillingReason.SUBSCRIPTION_CYCLE
    return BillingReason.SUBSCRIPTION_UPDATE


class _Billed(Struct, frozen=True):
    """A line before coupons; `discounted` is the subscription and period whose coupons are its."""

    line: InvoiceLine
    coupons: tuple[Coupon, ...] = ()
    discounted: tuple[SubscriptionId, Instant] | None = None


def _lines(payer: Payer, portion: Portion, mint: Callable[[str], str]) -> Iterator[_Billed]:
    step = portion.step
    for waited in step.lines:
        line = _waited_line(payer, waited, InvoiceLineId(mint("il")))
        yield _of_period(step, line, waited.period) if waited.is_discountable else _Billed(line)
    for cover in _counted(payer, portion):
        line = _usage_line(payer, portion, cover, InvoiceLineId(mint("il")))
        yield _of_period(step, line, step.subscription.period)
    for late in portion.late:
        if not _difference(payer, late).is_zero:
            line = _late_line(payer, late, InvoiceLineId(mint("il")))
            yield _of_period(step, line, step.subscription.period)


def _of_period(step: Step, line: InvoiceLine, period: Period) -> _Billed:
    coupons = step.tab.agreement.covering(period)
    return _Billed(line, coupons, (step.subscription.id, period.start))


def _waited_line(payer: Payer, waited: PendingLine, line_id: InvoiceLineId) -> InvoiceLine:
    charge = Charge(waited.description, waited.quantity, waited.unit_amount)
    details = LineDetails(
        type=_TYPES[waited.kind],
        terms=payer.taxes,
        subscription_id=waited.subscription_id,
        period=waited.period,
        derivation=waited.derivation,
    )
    return charged_line(line_id, charge, waited.amount, details)


def _counted(payer: Payer, portion: Portion) -> Iterator[Cover]:
    """The metered periods of a step with what they come to."""
    for cover, tally in zip(portion.step.usage, portion.used, strict=True):
        assert cover.price is not None
        assert cover.meter_id is not None
        quantity = tally.quantity(portion.step.tab.meters[cover.meter_id].aggregation)
        amount = cover.price.amount(quantity, payer.currency)
        yield replace(cover, quantity=quantity, amount=amount)


def _usage_line(
    payer: Payer, portion: Portion, cover: Cover, line_id: InvoiceLineId
) -> InvoiceLine:
    """What a meter counted; in one part as it is, in several as a whole with its derivation."""
    assert cover.meter_id is not None
    assert cover.price is not None
    assert cover.amount is not None
    assert portion.known_at is not None
    price, meter = cover.price, portion.step.tab.meters[cover.meter_id]
    parts = price.parts(cover.quantity)
    name = price.terms.name or meter.name
    charge = Charge(f"{name} ({cover.quantity})", 1, Decimal(cover.amount.minor))
    if len(parts) == 1:
        charge = Charge(name, parts[0].quantity, parts[0].unit_amount)
    details = LineDetails(
        type=LineType.USAGE,
        terms=payer.taxes,
        subscription_id=portion.step.subscription.id,
        period=cover.period,
        derivation={
            **_derivation(price, meter, cover, cover.quantity),
            "knownAt": wire_instant(portion.known_at),
        },
    )
    return charged_line(line_id, charge, cover.amount, details)


def _late_line(payer: Payer, late: Late, line_id: InvoiceLineId) -> InvoiceLine:
    """The difference that events make which came when their period was billed already."""
    cover, difference = late.billed.cover, _difference(payer, late)
    assert cover.amount is not None
    name = late.price.terms.name or late.meter.name
    charge = Charge(f"{name}, reported late", 1, Decimal(difference.minor))
    details = LineDetails(
        type=LineType.ADJUSTMENT,
        terms=payer.taxes,
        subscription_id=late.billed.subscription_id,
        period=cover.period,
        derivation={
            **_derivation(late.price, late.meter, cover, late.quantity),
            "knownAt": wire_instant(late.known_at),
            "billedQuantity": cover.quantity,
            "billedCents": cover.amount.minor,
            "usageEventIds": list(late.event_ids[:NAMED_EVENTS_MAX]),
            "usageEventCount": len(late.event_ids),
        },
    )
    return charged_line(line_id, charge, difference, details)


def _derivation(price: Price, meter: Meter, cover: Cover, quantity: int) -> dict[str, object]:
    return {
        "priceId": price.id,
        "pricingModel": price.terms.model.value,
        "meterId": meter.id,
        "aggregation": meter.aggregation.value,
        "quantity": quantity,
        "parts": [
            {"quantity": each.quantity, "unitAmount": str(each.unit_amount)}
            for each in price.parts(quantity)
        ],
        "part": {
            "start": wire_instant(cover.period.start),
            "end": wire_instant(cover.period.end),
        },
    }


def _difference(payer: Payer, late: Late) -> Money:
    assert late.billed.cover.amount is not None
    return late.price.amount(late.quantity, payer.currency) - late.billed.cover.amount


def _corrected(payer: Payer, late: Late) -> BilledPeriod:
    amount = late.price.amount(late.quantity, payer.currency)
    return replace(
        late.billed, cover=replace(late.billed.cover, quantity=late.quantity, amount=amount)
    )


def _covered(payer: Payer, portion: Portion) -> Iterator[Cover]:
    """Every period that the step covers; metered ones with what they were billed for."""
    counted = {(each.meter_id, each.period.start): each for each in _counted(payer, portion)}
    for cover in portion.step.covers:
        yield counted.get((cover.meter_id, cover.period.start), cover)


def _discounted(blank: Invoice, payer: Payer, billed: Sequence[_Billed]) -> Invoice:
    """The draft with its lines, less the coupons that are for them.

    Where all lines are of one period its coupons are the document's own; otherwise each line has
    its share of those of its period.
    """
    periods = {each.discounted for each in billed}
    lines = [each.line for each in billed]
    if len(periods) == 1:
        reductions = [coupon.reduction for coupon in billed[0].coupons]
        return with_lines(blank, lines, reductions=reductions, terms=payer.taxes)
    shared = [
        line
        for period in dict.fromkeys(each.discounted for each in billed)
        for line in _shared([each for each in billed if each.discounted == period])
    ]
    order = {line.id: place for place, line in enumerate(lines)}
    shared.sort(key=lambda line: order[line.id])
    return with_lines(blank, shared, terms=payer.taxes)


def _shared(billed: Sequence[_Billed]) -> list[InvoiceLine]:
    """Lines of one period, each with its share of the coupons, one coupon after another."""
    lines = [each.line for each in billed]
    left = [line.amount for line in lines]
    for coupon in billed[0].coupons:
        off = coupon.of(left)
        left = [amount - part for amount, part in zip(left, off, strict=True)]
        lines = [
            replace(line, reductions=(*line.reductions, _part(coupon, amount)))
            for line, amount in zip(lines, off, strict=True)
        ]
    return lines


def _part(coupon: Coupon, amount: Money) -> Reduction:
    return Reduction(coupon.name, amount_off=amount, coupon_id=coupon.id)
