"""Why an invoice is over what it is, as the world sees it."""

from collections.abc import Mapping
from typing import Any, Literal

from bursar.domain.explanations import Difference, Explanation
from bursar.domain.ids import InvoiceLineId, UsageEventId
from bursar.domain.invoice_lines import InvoiceLine, LineType
from bursar.domain.shapes.fields import (
    Cents,
    Shape,
    WireDecimal,
    WireInstant,
    decimal,
    instant,
)
from bursar.domain.shapes.invoices import DiscountOut, InvoiceDiscountOut, InvoiceTaxOut, LineTaxOut


class ExplanationDifferenceOut(Shape, frozen=True, kw_only=True):
    """A figure that does not follow from what stands on the invoice."""

    field: str
    billed_cents: Cents
    recomputed_cents: Cents

    @classmethod
    def of(cls, difference: Difference) -> "ExplanationDifferenceOut":
        """The difference's shape."""
        return cls(
            field=difference.field,
            billed_cents=difference.billed.minor,
            recomputed_cents=difference.recomputed.minor,
        )


class LineUsageOut(Shape, frozen=True, kw_only=True):
    """The usage behind a line: what was reported after `knownAt` is not in it.

    `sampleEventIds` are the first of its events, at most twenty.
    """

    known_at: WireInstant | None
    sample_event_ids: tuple[str, ...]

    @classmethod
    def of(
        cls, line: InvoiceLine, sampled: Mapping[InvoiceLineId, tuple[UsageEventId, ...]]
    ) -> "LineUsageOut | None":
        """That of a line; none where it charges for no usage. What came late is named by it."""
        derivation: Mapping[str, Any] = line.derivation or {}
        if "meterId" not in derivation:
            return None
        named = sampled.get(line.id, derivation.get("usageEventIds", ()))
        return cls(known_at=derivation.get("knownAt"), sample_event_ids=tuple(named))


class LineExplanationOut(Shape, frozen=True, kw_only=True):
    """How a line came about: from its derivation, or from quantity and unit price."""

    id: str
    description: str
    type: LineType
    quantity: int
    unit_amount_decimal: WireDecimal
    period_start: WireInstant | None
    period_end: WireInstant | None
    derivation: dict[str, Any] | None
    usage: LineUsageOut | None
    amount_cents: Cents
    discount_cents: Cents
    discounts: tuple[DiscountOut, ...]
    taxes: tuple[LineTaxOut, ...]
    total_cents: Cents

    @classmethod
    def of(
        cls, line: InvoiceLine, sampled: Mapping[InvoiceLineId, tuple[UsageEventId, ...]]
    ) -> "LineExplanationOut":
        """The line, worked out anew."""
        return cls(
            id=line.id,
            description=line.description,
            type=line.type,
            quantity=line.quantity,
            unit_amount_decimal=decimal(line.unit_amount),
            period_start=instant(line.period.start if line.period else None),
            period_end=instant(line.period.end if line.period else None),
            derivation=None if line.derivation is None else dict(line.derivation),
            usage=LineUsageOut.of(line, sampled),
            amount_cents=line.amount.minor,
            discount_cents=line.discount.minor,
            discounts=tuple(DiscountOut.of(each) for each in line.reductions),
            taxes=tuple(LineTaxOut.of(each) for each in line.taxes),
            total_cents=line.total.minor,
        )


class ExplanationOut(Shape, frozen=True, kw_only=True):
    """An invoice worked out anew from what stands on it; `differences` names what was billed else.

    All figures but those of `differences` are the recomputed ones.
    """

    id: str
    object: Literal["invoice_explanation"] = "invoice_explanation"
    currency: str
    matches: bool
    differences: tuple[ExplanationDifferenceOut, ...]
    lines: tuple[LineExplanationOut, ...]
    discounts: tuple[InvoiceDiscountOut, ...]
    taxes: tuple[InvoiceTaxOut, ...]
    subtotal_cents: Cents
    discount_cents: Cents
    tax_amount_cents: Cents
    tax_included_cents: Cents
    excess_cents: Cents
    total_cents: Cents

    @classmethod
    def of(
        cls,
        explanation: Explanation,
        sampled: Mapping[InvoiceLineId, tuple[UsageEventId, ...]],
    ) -> "ExplanationOut":
        """The explanation's shape, with some of the usage behind its lines."""
        anew = explanation.recomputed
        return cls(
            id=anew.id,
            currency=anew.currency,
            matches=not explanation.differences,
            differences=tuple(
                ExplanationDifferenceOut.of(each) for each in explanation.differences
            ),
            lines=tuple(LineExplanationOut.of(each, sampled) for each in anew.lines),
            discounts=tuple(InvoiceDiscountOut.of(each) for each in anew.discounts),
            taxes=tuple(InvoiceTaxOut.of(each) for each in anew.taxes),
            subtotal_cents=anew.subtotal.minor,
            discount_cents=anew.discount.minor,
            tax_amount_cents=anew.tax.minor,
            tax_included_cents=anew.tax_included.minor,
            excess_cents=anew.excess.minor,
            total_cents=anew.total.minor,
        )
