"""Reports as the world sees them: pieces in order, and what they come to."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from bursar.domain.analytics import Measure
from bursar.domain.reports import (
    Ageing,
    Interval,
    Piece,
    Report,
    Sums,
    mrr_of,
    percent,
    running,
    subscribers_of,
)
from bursar.domain.shapes.fields import Cents, Shape, WireDecimal, shown_as

WireDay = Annotated[str, shown_as("2026-03-01")]
"""A civil day of the organization."""


class ReportOut(Shape, frozen=True, kw_only=True):
    """What every report says of itself: days from `from` up to and without `to`."""

    currency: str
    timezone: str
    from_: WireDay
    to: WireDay
    interval: Interval


class RevenuePartOut(Shape, frozen=True, kw_only=True):
    """What was earned, by the books: `net` is revenue less refunds and bad debt."""

    start: WireDay | None
    revenue_cents: Cents
    refunded_cents: Cents
    bad_debt_cents: Cents
    net_cents: Cents
    collected_cents: Cents


class RevenueOut(ReportOut, frozen=True, kw_only=True):
    """What was earned and what came in."""

    object: Literal["revenue_report"] = "revenue_report"
    series: tuple[RevenuePartOut, ...]
    totals: RevenuePartOut

    @classmethod
    def of(cls, report: Report) -> "RevenueOut":
        """The report's shape."""
        series = tuple(map(_revenue, report.pieces))
        return cls(series=series, totals=_revenue(_whole(report)), **_head(report))


class MrrPartOut(Shape, frozen=True, kw_only=True):
    """How the recurring revenue moved, and what it is at the end."""

    start: WireDay | None
    new_cents: Cents
    expansion_cents: Cents
    contraction_cents: Cents
    churn_cents: Cents
    reactivation_cents: Cents
    net_cents: Cents
    mrr_cents: Cents


class MrrOut(ReportOut, frozen=True, kw_only=True):
    """Monthly recurring revenue: `opening` and all movements make what it is at the end."""

    object: Literal["mrr_report"] = "mrr_report"
    opening_cents: Cents
    series: tuple[MrrPartOut, ...]
    totals: MrrPartOut
    arr_cents: Cents
    gross_retention_percent: WireDecimal | None
    net_retention_percent: WireDecimal | None

    @classmethod
    def of(cls, report: Report) -> "MrrOut":
        """The report's shape."""
        opening, whole = mrr_of(report.before), _whole(report)
        ends = running(opening, [mrr_of(piece) for piece in report.pieces])
        pairs = zip(report.pieces, ends, strict=True)
        lost = whole[Measure.MRR_CONTRACTION].minor + whole[Measure.MRR_CHURN].minor
        kept = opening + lost
        return cls(
            opening_cents=opening,
            series=tuple(_mrr(piece, end) for piece, end in pairs),
            totals=_mrr(whole, ends[-1]),
            arr_cents=ends[-1] * 12,
            gross_retention_percent=percent(max(kept, 0), of=opening),
            net_retention_percent=percent(
                max(kept + whole[Measure.MRR_EXPANSION].minor, 0), of=opening
            ),
            **_head(report),
        )


class InvoicesPartOut(Shape, frozen=True, kw_only=True):
    """Documents: what was invoiced, taken back, and settled, with tax."""

    start: WireDay | None
    invoiced_count: int
    invoiced_cents: Cents
    voided_count: int
    voided_cents: Cents
    paid_count: int
    paid_cents: Cents


class AgeOut(Shape, frozen=True, kw_only=True):
    """So much is open, on so many documents."""

    count: int
    amount_cents: Cents


class AgeingOut(Shape, frozen=True, kw_only=True):
    """What is open now, by how many days it has been due."""

    total: AgeOut
    current: AgeOut
    days_1_to_30: AgeOut
    days_31_to_60: AgeOut
    days_61_to_90: AgeOut
    days_over_90: AgeOut


class InvoicesOut(ReportOut, frozen=True, kw_only=True):
    """What was invoiced, and what is open now."""

    object: Literal["invoices_report"] = "invoices_report"
    series: tuple[InvoicesPartOut, ...]
    totals: InvoicesPartOut
    outstanding: AgeingOut

    @classmethod
    def of(cls, report: Report) -> "InvoicesOut":
        """The report's shape."""
        return cls(
            series=tuple(map(_invoices, report.pieces)),
            totals=_invoices(_whole(report)),
            outstanding=_ageing(report.ageing),
            **_head(report),
        )


class PaymentsPartOut(Shape, frozen=True, kw_only=True):
    """Attempts that brought money, and those that did not; `collected` is by the books."""

    start: WireDay | None
    succeeded_count: int
    succeeded_cents: Cents
    failed_count: int
    failed_cents: Cents
    collected_cents: Cents
    success_percent: WireDecimal | None


class PaymentsOut(ReportOut, frozen=True, kw_only=True):
    """What was collected, and how often it failed."""

    object: Literal["payments_report"] = "payments_report"
    series: tuple[PaymentsPartOut, ...]
    totals: PaymentsPartOut

    @classmethod
    def of(cls, report: Report) -> "PaymentsOut":
        """The report's shape."""
        series = tuple(map(_payments, report.pieces))
        return cls(series=series, totals=_payments(_whole(report)), **_head(report))


class CustomersPartOut(Shape, frozen=True, kw_only=True):
    """Customers: those who are there, and those of them who pay regularly (subscribers)."""

    start: WireDay | None
    created_count: int
    deleted_count: int
    gained_count: int
    lost_count: int
    customer_count: int
    subscriber_count: int


class CustomersOut(ReportOut, frozen=True, kw_only=True):
    """Who came, who stayed, who left."""

    object: Literal["customers_report"] = "customers_report"
    opening_subscriber_count: int
    series: tuple[CustomersPartOut, ...]
    totals: CustomersPartOut
    churn_percent: WireDecimal | None
    retention_percent: WireDecimal | None

    @classmethod
    def of(cls, report: Report) -> "CustomersOut":
        """The report's shape."""
        opening, whole = subscribers_of(report.before), _whole(report)
        pieces = report.pieces
        subscribers = running(opening, [subscribers_of(piece) for piece in pieces])
        customers = running(_customers_of(report.before), [_customers_of(each) for each in pieces])
        rows = zip(pieces, customers, subscribers, strict=True)
        lost = whole[Measure.SUBSCRIBERS_LOST].count
        return cls(
            opening_subscriber_count=opening,
            series=tuple(_customers(*row) for row in rows),
            totals=_customers(whole, customers[-1], subscribers[-1]),
            churn_percent=percent(lost, of=opening),
            retention_percent=percent(opening - lost, of=opening),
            **_head(report),
        )


class DunningPartOut(Shape, frozen=True, kw_only=True):
    """Payments that failed, and documents that were given up."""

    start: WireDay | None
    failed_count: int
    failed_cents: Cents
    bad_debt_cents: Cents


class DunningReportOut(ReportOut, frozen=True, kw_only=True):
    """What was not paid as it should be, and what of it is open now."""

    object: Literal["dunning_report"] = "dunning_report"
    series: tuple[DunningPartOut, ...]
    totals: DunningPartOut
    outstanding: AgeingOut

    @classmethod
    def of(cls, report: Report) -> "DunningReportOut":
        """The report's shape."""
        return cls(
            series=tuple(map(_dunning, report.pieces)),
            totals=_dunning(_whole(report)),
            outstanding=_ageing(report.ageing),
            **_head(report),
        )


AnyReport = (
    type[RevenueOut]
    | type[MrrOut]
    | type[InvoicesOut]
    | type[PaymentsOut]
    | type[CustomersOut]
    | type[DunningReportOut]
)

MEASURES: Final[Mapping[type[ReportOut], tuple[Measure, ...]]] = {
    RevenueOut: (Measure.REVENUE, Measure.REFUNDS, Measure.BAD_DEBT, Measure.COLLECTED),
    MrrOut: (
        *(Measure.MRR_NEW, Measure.MRR_EXPANSION, Measure.MRR_CONTRACTION),
        *(Measure.MRR_CHURN, Measure.MRR_REACTIVATION),
    ),
    InvoicesOut: (Measure.INVOICED, Measure.VOIDED, Measure.PAID),
    PaymentsOut: (Measure.PAYMENTS_SUCCEEDED, Measure.PAYMENTS_FAILED, Measure.COLLECTED),
    CustomersOut: (
        *(Measure.CUSTOMERS_CREATED, Measure.CUSTOMERS_DELETED),
        *(Measure.SUBSCRIBERS_GAINED, Measure.SUBSCRIBERS_LOST),
    ),
    DunningReportOut: (Measure.PAYMENTS_FAILED, Measure.BAD_DEBT),
}
"""What each report is made of."""


def _head(report: Report) -> dict[str, Any]:
    span = report.span
    return {
        "currency": report.currency,
        "timezone": report.timezone,
        "from_": span.start.isoformat(),
        "to": span.end.isoformat(),
        "interval": span.interval,
    }


def _whole(report: Report) -> Piece:
    measures = {measure for piece in report.pieces for measure in piece.figures}
    return Piece(report.span.start, {each: report.total(each) for each in measures})


def _revenue(piece: Piece) -> RevenuePartOut:
    revenue, refunds = piece[Measure.REVENUE].minor, piece[Measure.REFUNDS].minor
    bad_debt = piece[Measure.BAD_DEBT].minor
    return RevenuePartOut(
        start=piece.start.isoformat(),
        revenue_cents=revenue,
        refunded_cents=refunds,
        bad_debt_cents=bad_debt,
        net_cents=revenue - refunds - bad_debt,
        collected_cents=piece[Measure.COLLECTED].minor,
    )


def _mrr(piece: Piece, end: int) -> MrrPartOut:
    return MrrPartOut(
        start=piece.start.isoformat(),
        new_cents=piece[Measure.MRR_NEW].minor,
        expansion_cents=piece[Measure.MRR_EXPANSION].minor,
        contraction_cents=piece[Measure.MRR_CONTRACTION].minor,
        churn_cents=piece[Measure.MRR_CHURN].minor,
        reactivation_cents=piece[Measure.MRR_REACTIVATION].minor,
        net_cents=mrr_of(piece),
        mrr_cents=end,
    )


def _invoices(piece: Piece) -> InvoicesPartOut:
    invoiced, voided, paid = (piece[each] for each in MEASURES[InvoicesOut])
    return InvoicesPartOut(
        start=piece.start.isoformat(),
        invoiced_count=invoiced.count,
        invoiced_cents=invoiced.minor,
        voided_count=voided.count,
        voided_cents=voided.minor,
        paid_count=paid.count,
        paid_cents=paid.minor,
    )


def _payments(piece: Piece) -> PaymentsPartOut:
    succeeded, failed, collected = (piece[each] for each in MEASURES[PaymentsOut])
    return PaymentsPartOut(
        start=piece.start.isoformat(),
        succeeded_count=succeeded.count,
        succeeded_cents=succeeded.minor,
        failed_count=failed.count,
        failed_cents=failed.minor,
        collected_cents=collected.minor,
        success_percent=percent(succeeded.count, of=succeeded.count + failed.count),
    )


def _customers_of(piece: Piece) -> int:
    return piece[Measure.CUSTOMERS_CREATED].count - piece[Measure.CUSTOMERS_DELETED].count


def _customers(piece: Piece, customer_count: int, subscriber_count: int) -> CustomersPartOut:
    return CustomersPartOut(
        start=piece.start.isoformat(),
        created_count=piece[Measure.CUSTOMERS_CREATED].count,
        deleted_count=piece[Measure.CUSTOMERS_DELETED].count,
        gained_count=piece[Measure.SUBSCRIBERS_GAINED].count,
        lost_count=piece[Measure.SUBSCRIBERS_LOST].count,
        customer_count=customer_count,
        subscriber_count=subscriber_count,
    )


def _dunning(piece: Piece) -> DunningPartOut:
    failed = piece[Measure.PAYMENTS_FAILED]
    return DunningPartOut(
        start=piece.start.isoformat(),
        failed_count=failed.count,
        failed_cents=failed.minor,
        bad_debt_cents=piece[Measure.BAD_DEBT].minor,
    )


def _ageing(ageing: Ageing) -> AgeingOut:
    return AgeingOut(
        total=_age(ageing.total),
        current=_age(ageing.current),
        days_1_to_30=_age(ageing.days_1_to_30),
        days_31_to_60=_age(ageing.days_31_to_60),
        days_61_to_90=_age(ageing.days_61_to_90),
        days_over_90=_age(ageing.days_over_90),
    )


def _age(sums: Sums) -> AgeOut:
    return AgeOut(count=sums.count, amount_cents=sums.minor)
