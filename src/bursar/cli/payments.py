"""`bursar payment`: attempts at collecting, and what became of them: refunds and disputes."""

from typing import Annotated

import typer

from bursar.cli.desk import ROWS, DryRun, Limit, Org, Reason, Yes, an_id, confirm, desk
from bursar.cli.failing import Exit
from bursar.cli.narrowing import (
    Customer,
    Invoice,
    OldestFirst,
    Payment,
    Since,
    Until,
    Wallet,
    customer_of,
    invoice_of,
    payment_of,
    utc,
    wallet_of,
)
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.dispute_reports import DisputeStatus
from bursar.domain.ids import PaymentId
from bursar.domain.payments import PaymentStatus
from bursar.domain.refunds import Refund, RefundStatus
from bursar.domain.shapes.disputes import DisputeOut
from bursar.domain.shapes.payments import PaymentOut
from bursar.domain.shapes.refunds import RefundOut
from bursar.flows.refund_payment import refund_payment
from bursar.operations.refunds import BeginRefund
from bursar.reads.disputes import DisputeFilters, disputes
from bursar.reads.payments import PaymentFilters, payment, payments
from bursar.reads.refunds import RefundFilters, refunds
from bursar.runtime.app import Caller
from bursar.runtime.ids import new_uuid

group = typer.Typer(help="Payments.", no_args_is_help=True)

_REFUND_COLUMNS = ("id", "paymentId", "status", "amountCents", "currency", "createdAt")
_DISPUTE_COLUMNS = ("id", "paymentId", "status", "amountCents", "reason", "evidenceDueAt")
_COLUMNS = ("id", "invoiceId", "mode", "status", "amountCents", "createdAt")


@group.command("list")
def list_payments(
    context: typer.Context,
    *,
    org: Org = None,
    status: Annotated[list[PaymentStatus] | None, typer.Option(help="Only these.")] = None,
    invoice: Invoice = None,
    customer: Customer = None,
    wallet: Wallet = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List payments, newest first."""
    filters = PaymentFilters(
        invoice_id=invoice_of(invoice),
        customer_id=customer_of(customer),
        wallet_id=wallet_of(wallet),
        statuses=tuple(status or ()),
        created_from=utc(since),
        created_before=utc(until),
    )
    found = desk(context).gather(
        lambda caller, page: caller.look(payments, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([PaymentOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_payment(
    context: typer.Context, payment_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one payment."""
    known = PaymentId(an_id(payment_id, prefix="pay", name="payment_id"))
    found = desk(context).ask(lambda caller: caller.look(payment, known), org=org)
    show_one(PaymentOut.of(found), output)


@group.command("refund")
def refund_one(
    context: typer.Context,
    payment_id: str,
    *,
    amount: Annotated[
        int | None, typer.Option(min=1, help="How much, in cents; all that is left unless said.")
    ] = None,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = None,
) -> None:
    """Give a payment back, all that is left of it or a part."""
    command = BeginRefund(
        payment_id=PaymentId(an_id(payment_id, prefix="pay", name="payment_id")),
        attempt_key=f"once:{new_uuid()}",
        amount_minor=amount,
        reason=reason,
    )
    confirm(f"Refund {payment_id}?", is_agreed=yes or dry_run)

    async def act(caller: Caller) -> Refund:
        return await refund_payment(caller, command)

    done = desk(context).ask(act, org=org, reason=reason, is_dry_run=dry_run)
    show_one(RefundOut.of(done), output)
    if done.status is RefundStatus.FAILED:
        raise typer.Exit(Exit.FAILED)


@group.command("refunds")
def list_refunds(
    context: typer.Context,
    *,
    org: Org = None,
    status: Annotated[list[RefundStatus] | None, typer.Option(help="Only these.")] = None,
    payment: Payment = None,
    invoice: Invoice = None,
    customer: Customer = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List refunds, newest first."""
    filters = RefundFilters(
        payment_id=payment_of(payment),
        invoice_id=invoice_of(invoice),
        customer_id=customer_of(customer),
        statuses=tuple(status or ()),
        created_from=utc(since),
        created_before=utc(until),
    )
    found = desk(context).gather(
        lambda caller, page: caller.look(refunds, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([RefundOut.of(each) for each in found], _REFUND_COLUMNS, output)


@group.command("disputes")
def list_disputes(
    context: typer.Context,
    *,
    org: Org = None,
    status: Annotated[list[DisputeStatus] | None, typer.Option(help="Only these.")] = None,
    payment: Payment = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List disputes, newest first."""
    filters = DisputeFilters(
        payment_id=payment_of(payment),
        statuses=tuple(status or ()),
        created_from=utc(since),
        created_before=utc(until),
    )
    found = desk(context).gather(
        lambda caller, page: caller.look(disputes, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([DisputeOut.of(each) for each in found], _DISPUTE_COLUMNS, output)
