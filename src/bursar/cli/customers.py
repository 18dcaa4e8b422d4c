"""`bursar customer`: who is billed."""

from typing import Annotated

import typer

from bursar.cli.desk import ROWS, DryRun, Limit, Org, Reason, Yes, an_id, confirm, desk
from bursar.cli.narrowing import OldestFirst, Since, Until, utc
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.ids import CustomerId
from bursar.domain.shapes.customers import CreditBalanceOut, CustomerOut, ErasureOut
from bursar.flows.create_customer import create_customer_everywhere
from bursar.operations.customers import CreateCustomer, EraseCustomer, erase_customer
from bursar.reads.credit_balances import credit_balance
from bursar.reads.customers import CustomerFilters, customer, customers

group = typer.Typer(help="Customers.", no_args_is_help=True)

_COLUMNS = ("id", "name", "email", "currency", "createdAt")


@group.command("list")
def list_customers(
    context: typer.Context,
    *,
    org: Org = None,
    search: Annotated[str | None, typer.Option(help="Part of a name or an e-mail.")] = None,
    email: Annotated[str | None, typer.Option(help="Only with this address.")] = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List customers, newest first."""
    filters = CustomerFilters(
        email=email,
        text=search,
        created_from=utc(since),
        created_before=utc(until),
    )
    found = desk(context).gather(
        lambda caller, page: caller.look(customers, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([CustomerOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_customer(
    context: typer.Context, customer_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one customer."""
    known = CustomerId(an_id(customer_id, prefix="cust", name="customer_id"))
    found = desk(context).ask(lambda caller: caller.look(customer, known), org=org)
    show_one(CustomerOut.of(found), output)


@group.command("credit")
def show_credit(
    context: typer.Context, customer_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show what a customer has to their credit."""
    known = CustomerId(an_id(customer_id, prefix="cust", name="customer_id"))
    found = desk(context).ask(lambda caller: caller.look(credit_balance, known), org=org)
    show_one(CreditBalanceOut.of(found), output)


@group.command("create")
def create_one_customer(
    context: typer.Context,
    *,
    email: Annotated[str, typer.Option()],
    name: Annotated[str, typer.Option()],
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Create a customer; the payment provider learns of them too."""
    command = CreateCustomer(email=email, name=name, metadata={})
    made = desk(context).ask(
        lambda caller: create_customer_everywhere(caller, command), org=org, reason=reason
    )
    show_one(CustomerOut.of(made), output)


@group.command("erase")
def erase_one_customer(
    context: typer.Context,
    customer_id: str,
    *,
    reason: Annotated[str, typer.Option(help="Why; kept in the log, so name nobody.")],
    org: Org = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = None,
) -> None:
    """Erase who a customer is, for good; their documents stay, without a name."""
    command = EraseCustomer(CustomerId(an_id(customer_id, prefix="cust", name="customer_id")))
    confirm(f"Erase {customer_id}? Nobody can bring them back.", is_agreed=yes or dry_run)
    done = desk(context).ask(
        lambda caller: caller.run(erase_customer, command),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    show_one(ErasureOut.of(done), output)
