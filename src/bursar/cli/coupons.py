"""`bursar coupon`: list and show what takes something off an invoice."""

from typing import Annotated, Final

import typer

from bursar.cli.desk import ROWS, Limit, Org, an_id, desk
from bursar.cli.narrowing import OldestFirst
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.discounts import CouponStatus
from bursar.domain.ids import CouponId
from bursar.domain.shapes.coupons import CouponOut
from bursar.reads.coupons import coupon, coupons

group = typer.Typer(help="Coupons.", no_args_is_help=True)

_COLUMNS: Final = ("id", "name", "percentOff", "amountOffCents", "duration", "months", "status")


@group.command("list")
def list_coupons(
    context: typer.Context,
    *,
    org: Org = None,
    status: Annotated[list[CouponStatus] | None, typer.Option(help="Only these.")] = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List coupons, newest first."""
    statuses = tuple(status or ())
    found = desk(context).gather(
        lambda caller, page: caller.look(coupons, page, statuses),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([CouponOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_coupon(
    context: typer.Context, coupon_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one coupon."""
    known = CouponId(an_id(coupon_id, prefix="cpn", name="coupon_id"))
    found = desk(context).ask(lambda caller: caller.look(coupon, known), org=org)
    show_one(CouponOut.of(found), output)
