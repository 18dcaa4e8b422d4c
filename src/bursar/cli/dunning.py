"""`bursar dunning`: invoices whose automatic payment failed, and what is decided by hand."""

from typing import Annotated

import typer

from bursar.cli.desk import ROWS, Limit, Org, Reason, an_id, desk
from bursar.cli.narrowing import Customer, OldestFirst, customer_of
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.access import Permission
from bursar.domain.dunning import DunningCase
from bursar.domain.ids import InvoiceId
from bursar.domain.shapes.dunning import DunningOut
from bursar.flows.pay_invoice import refuse_if_away
from bursar.operations.dunning import (
    PauseDunning,
    SteerDunning,
    pause_dunning,
    resolve_dunning,
    resume_dunning,
    retry_now,
)
from bursar.reads.dunning import dunning_case, dunning_cases
from bursar.runtime.app import Caller, Operation

group = typer.Typer(help="Invoices whose automatic payment failed.", no_args_is_help=True)

_COLUMNS = (
    *("invoiceId", "currentAction", "nextRetryAt", "retryCount", "maxRetries", "declineCode"),
    "resolution",
)


@group.command("status")
def status(
    context: typer.Context,
    invoice_id: Annotated[str | None, typer.Argument(help="One invoice; else all open.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    resolved: Annotated[bool, typer.Option("--resolved", help="Only those that are over.")] = False,
    customer: Customer = None,
    oldest_first: OldestFirst = False,
    org: Org = None,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """Say what is done about an invoice, or about all that are in dunning."""
    if invoice_id is not None:
        known = _id(invoice_id)
        found = desk(context).ask(lambda caller: caller.look(dunning_case, known), org=org)
        show_one(DunningOut.of(found), output)
        return
    is_resolved = None if every and not resolved else resolved
    whose = customer_of(customer)
    cases = desk(context).gather(
        lambda caller, page: caller.look(dunning_cases, page, whose, is_resolved),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([DunningOut.of(each) for each in cases], _COLUMNS, output)


@group.command("resolve")
def resolve(
    context: typer.Context,
    invoice_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """End it by hand; the invoice stays open."""
    _steer(context, resolve_dunning, SteerDunning(_id(invoice_id)), (org, reason), output)


@group.command("retry-now")
def retry(
    context: typer.Context,
    invoice_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Charge the customer's default payment method; a worker does it at once."""
    command = SteerDunning(_id(invoice_id))

    async def act(caller: Caller) -> DunningCase:
        await refuse_if_away(caller, Permission.INVOICE_FINALIZE)
        return await caller.run(retry_now, command)

    show_one(DunningOut.of(desk(context).ask(act, org=org, reason=reason)), output)


@group.command("pause")
def pause(
    context: typer.Context,
    invoice_id: str,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the case.")],
    org: Org = None,
    output: Output = None,
) -> None:
    """Do nothing about an invoice until it is resumed."""
    command = PauseDunning(_id(invoice_id), reason)
    done = desk(context).ask(
        lambda caller: caller.run(pause_dunning, command), org=org, reason=reason
    )
    show_one(DunningOut.of(done), output)


@group.command("resume")
def resume(
    context: typer.Context,
    invoice_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Go on after a pause."""
    _steer(context, resume_dunning, SteerDunning(_id(invoice_id)), (org, reason), output)


def _steer(
    context: typer.Context,
    verb: Operation[SteerDunning, DunningCase],
    command: SteerDunning,
    where: tuple[str | None, str | None],
    output: Output,
) -> None:
    org, reason = where
    done = desk(context).ask(lambda caller: caller.run(verb, command), org=org, reason=reason)
    show_one(DunningOut.of(done), output)


def _id(text: str) -> InvoiceId:
    return InvoiceId(an_id(text, prefix="inv", name="invoice_id"))
