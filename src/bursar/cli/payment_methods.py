"""`bursar payment-method`: what customers are charged by."""

from typing import Annotated

import typer

from bursar.cli.desk import ROWS, Limit, Org, Reason, Yes, an_id, confirm, desk
from bursar.cli.narrowing import Customer, OldestFirst, customer_of
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.ids import CustomerId, PaymentMethodId
from bursar.domain.shapes.payment_methods import MethodSetupOut, PaymentMethodOut
from bursar.flows.save_method import AttachMethod, SetUpMethod, attach_method, set_up_method
from bursar.operations.payment_methods import (
    Kept,
    NameMethod,
    detach_method,
    set_default_method,
)
from bursar.reads.payment_methods import MethodFilters, payment_methods
from bursar.runtime.app import Caller

group = typer.Typer(help="Payment methods.", no_args_is_help=True)

_COLUMNS = ("id", "customerId", "type", "brand", "last4", "expMonth", "expYear", "createdAt")


@group.command("list")
def list_methods(
    context: typer.Context,
    *,
    org: Org = None,
    customer: Customer = None,
    detached: Annotated[bool, typer.Option("--detached", help="The detached ones too.")] = False,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List payment methods, newest first."""
    filters = MethodFilters(customer_id=customer_of(customer), has_detached=detached)
    found = desk(context).gather(
        lambda caller, page: caller.look(payment_methods, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([PaymentMethodOut.of(each) for each in found], _COLUMNS, output)


@group.command("attach")
def attach_one(
    context: typer.Context,
    customer_id: str,
    token: Annotated[str, typer.Argument(help="The provider's token (pm_…), never a number.")],
    *,
    default: Annotated[bool, typer.Option(help="Charge it from now on.")] = True,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Attach a payment method to a customer."""
    known = CustomerId(an_id(customer_id, prefix="cust", name="customer_id"))
    command = AttachMethod(known, token, is_default=default)

    async def act(caller: Caller) -> Kept:
        return await attach_method(caller, command)

    kept = desk(context).ask(act, org=org, reason=reason)
    show_one(PaymentMethodOut.of(kept.method), output)


@group.command("set-up")
def set_up_one(
    context: typer.Context,
    customer_id: str,
    token: Annotated[str, typer.Argument(help="The provider's token (pm_…), never a number.")],
    *,
    default: Annotated[bool, typer.Option(help="Charge it from now on.")] = True,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Save a payment method, proven with its holder.

    Where they have to act first, it says where; the same command then keeps what was proven.
    """
    known = CustomerId(an_id(customer_id, prefix="cust", name="customer_id"))

    async def act(caller: Caller) -> MethodSetupOut:
        command = SetUpMethod(
            customer_id=known,
            provider_token=token,
            return_url=caller.app.settings.public_url,
            is_default=default,
        )
        said = await set_up_method(caller, command)
        if isinstance(said, Kept):
            return MethodSetupOut.of_method(said.method)
        return MethodSetupOut.of_action(said.url)

    show_one(desk(context).ask(act, org=org, reason=reason), output)


@group.command("set-default")
def choose_one(
    context: typer.Context,
    payment_method_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Charge this payment method from now on."""
    command = _named(payment_method_id)
    kept = desk(context).ask(
        lambda caller: caller.run(set_default_method, command), org=org, reason=reason
    )
    show_one(PaymentMethodOut.of(kept.method), output)


@group.command("detach")
def detach_one(
    context: typer.Context,
    payment_method_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Detach a payment method; it is charged no more."""
    command = _named(payment_method_id)
    confirm(f"Detach {payment_method_id}?", is_agreed=yes)
    kept = desk(context).ask(
        lambda caller: caller.run(detach_method, command), org=org, reason=reason
    )
    show_one(PaymentMethodOut.of(kept.method), output)


def _named(text: str) -> NameMethod:
    return NameMethod(PaymentMethodId(an_id(text, prefix="pm", name="payment_method_id")))
