"""`bursar tax-rate`: list and show, introduce, archive. A rate is never changed."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

import typer

from bursar.cli.desk import ROWS, Limit, Org, Reason, Yes, an_id, confirm, desk
from bursar.cli.narrowing import OldestFirst
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.ids import TaxRateId
from bursar.domain.money import Rate
from bursar.domain.refusals import InvalidInput
from bursar.domain.shapes.tax_rates import TaxRateOut
from bursar.domain.tax_rates import TaxRateStatus
from bursar.domain.taxes import TaxCategory
from bursar.operations.tax_rates import (
    ArchiveTaxRate,
    CreateTaxRate,
    archive_tax_rate,
    create_tax_rate,
)
from bursar.reads.tax_rates import tax_rate, tax_rates

group = typer.Typer(help="The table of taxes.", no_args_is_help=True)

_COLUMNS: Final = ("id", "name", "percentage", "inclusive", "country", "automatic", "status")


@group.command("list")
def list_rates(
    context: typer.Context,
    *,
    org: Org = None,
    status: Annotated[list[TaxRateStatus] | None, typer.Option(help="Only these.")] = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List tax rates, newest first."""
    statuses = tuple(status or ())
    found = desk(context).gather(
        lambda caller, page: caller.look(tax_rates, page, statuses),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([TaxRateOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_rate(
    context: typer.Context, tax_rate_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one tax rate."""
    known = _id(tax_rate_id)
    found = desk(context).ask(lambda caller: caller.look(tax_rate, known), org=org)
    show_one(TaxRateOut.of(found), output)


@group.command("create")
def create(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="As documents print it.")],
    percentage: Annotated[str, typer.Option(help="Up to four decimals: 19, 8.875.")] = "0",
    inclusive: Annotated[bool, typer.Option("--inclusive", help="It is in the price.")] = False,
    category: Annotated[TaxCategory, typer.Option()] = TaxCategory.STANDARD,
    country: Annotated[str | None, typer.Option(help="Two capital letters.")] = None,
    automatic: Annotated[
        bool, typer.Option("--automatic", help="It lies on what is billed by itself.")
    ] = False,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Introduce a tax rate."""
    command = CreateTaxRate(
        name=name,
        percent=_percent(percentage),
        is_inclusive=inclusive,
        category=category,
        country=_country(country),
        is_automatic=automatic,
        metadata={},
    )
    made = desk(context).ask(
        lambda caller: caller.run(create_tax_rate, command), org=org, reason=reason
    )
    show_one(TaxRateOut.of(made), output)


@group.command("archive")
def archive(
    context: typer.Context,
    tax_rate_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Give a tax rate to no line any more; documents that have it keep it."""
    command = ArchiveTaxRate(_id(tax_rate_id))
    confirm(f"Archive {tax_rate_id}?", is_agreed=yes)
    done = desk(context).ask(
        lambda caller: caller.run(archive_tax_rate, command), org=org, reason=reason
    )
    show_one(TaxRateOut.of(done), output)


def _id(text: str) -> TaxRateId:
    return TaxRateId(an_id(text, prefix="txr", name="tax_rate_id"))


def _percent(text: str) -> Decimal:
    try:
        return Rate(Decimal(text)).percent
    except (InvalidOperation, ValueError):
        says = "expected a percentage from 0 to 100, with up to four decimals"
        raise InvalidInput.at("--percentage", says) from None


def _country(text: str | None) -> str | None:
    if text is not None and not (len(text) == len("DE") and text.isascii() and text.isupper()):
        raise InvalidInput.at("--country", "expected two capital letters")
    return text
