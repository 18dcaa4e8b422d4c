"""`bursar payment`: attempts at collecting, and what became of them."""

from typing import Annotated

import typer

from bursar.cli.desk import ROWS, Limit, Org, Output, an_id, desk, gather
from bursar.cli.output import show_list, show_one
from bursar.domain.ids import InvoiceId, PaymentId
from bursar.domain.payments import Payment, PaymentStatus
from bursar.domain.shapes.payments import PaymentOut
from bursar.reads.payments import PaymentFilters, payment, payments
from bursar.runtime.app import Caller

group = typer.Typer(help="Payments.", no_args_is_help=True)

_COLUMNS = ("id", "invoiceId", "mode", "status", "amountCents", "createdAt")


@group.command("list")
def list_payments(
    context: typer.Context,
    *,
    org: Org = None,
    status: Annotated[list[PaymentStatus] | None, typer.Option(help="Only these.")] = None,
    invoice: Annotated[str | None, typer.Option(help="Only of this invoice (inv_…).")] = None,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List payments, newest first."""
    of = None if invoice is None else InvoiceId(an_id(invoice, prefix="inv", name="--invoice"))
    filters = PaymentFilters(invoice_id=of, statuses=tuple(status or ()))

    async def act(caller: Caller) -> tuple[Payment, ...]:
        return await gather(lambda page: caller.look(payments, page, filters), limit)

    found = desk(context).ask(act, org=org)
    show_list([PaymentOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_payment(
    context: typer.Context, payment_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one payment."""
    known = PaymentId(an_id(payment_id, prefix="pay", name="payment_id"))
    found = desk(context).ask(lambda caller: caller.look(payment, known), org=org)
    show_one(PaymentOut.of(found), output)
