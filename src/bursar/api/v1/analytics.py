"""`/v1/analytics`: the figures people steer by."""

from bursar.api.envelope import resource
from bursar.api.fields import CivilDay, CurrencyCode, Query
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.reports import Asked, Interval, Report
from bursar.domain.shapes.analytics import (
    MEASURES,
    CustomersOut,
    DunningReportOut,
    InvoicesOut,
    MrrOut,
    PaymentsOut,
    ReportOut,
    RevenueOut,
)
from bursar.reads.analytics import report, report_with_ageing
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Analytics",
    prefix="/v1/analytics",
    about="The figures people steer by: exact at every instant, and never older than the books.",
)


class ReportQuery(Query, frozen=True):
    """Which days, `from` on and before `to`; in which pieces; in which currency."""

    from_: CivilDay | None = None
    to: CivilDay | None = None
    interval: Interval = Interval.DAY
    currency: CurrencyCode | None = None

    def asked(self) -> Asked:
        """What somebody wants to see."""
        return Asked(self.from_, self.to, self.interval, self.currency)


def _terms(gives: type[ReportOut]) -> Terms:
    return Terms(needs=Permission.INVOICE_READ, gives=gives, query=ReportQuery)


@ROOM.get("/revenue", _terms(RevenueOut))
async def get_revenue(call: Call[None, ReportQuery]) -> Answer:
    """Report what was earned, by the books, and what came in."""
    return resource(RevenueOut.of(await _report(call, RevenueOut)))


@ROOM.get("/mrr", _terms(MrrOut))
async def get_mrr(call: Call[None, ReportQuery]) -> Answer:
    """Report monthly recurring revenue, and every movement of it by kind.

    A trial, a pause and a start to come are worth nothing; what is used is not counted.
    """
    return resource(MrrOut.of(await _report(call, MrrOut)))


@ROOM.get("/invoices", _terms(InvoicesOut))
async def get_invoices_report(call: Call[None, ReportQuery]) -> Answer:
    """Report what was invoiced and settled, and what is open now, by its age."""
    found = await call.caller.look(report_with_ageing, call.query.asked(), MEASURES[InvoicesOut])
    return resource(InvoicesOut.of(found))


@ROOM.get("/payments", _terms(PaymentsOut))
async def get_payments_report(call: Call[None, ReportQuery]) -> Answer:
    """Report what was collected, and how often an attempt failed."""
    return resource(PaymentsOut.of(await _report(call, PaymentsOut)))


@ROOM.get("/customers", _terms(CustomersOut))
async def get_customers_report(call: Call[None, ReportQuery]) -> Answer:
    """Report who came, who stayed and who left: customers of the currency, and subscribers.

    A subscriber is a customer who is worth something a month.
    """
    return resource(CustomersOut.of(await _report(call, CustomersOut)))


@ROOM.get("/dunning", _terms(DunningReportOut))
async def get_dunning_report(call: Call[None, ReportQuery]) -> Answer:
    """Report what was not paid as it should be, and what of it is open now."""
    found = await call.caller.look(
        report_with_ageing, call.query.asked(), MEASURES[DunningReportOut]
    )
    return resource(DunningReportOut.of(found))


async def _report(call: Call[None, ReportQuery], shape: type[ReportOut]) -> Report:
    return await call.caller.look(report, call.query.asked(), MEASURES[shape])
