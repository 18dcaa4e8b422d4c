"""The options that narrow and turn lists, called the same wherever they mean the same.

They are those of the API's lists; the console tells the command line for whatever it shows.
"""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from bursar.cli.desk import an_id
from bursar.domain.ids import (
    CustomerId,
    InvoiceId,
    PaymentId,
    PlanId,
    SubscriptionId,
    WalletId,
)
from bursar.domain.times import Instant

MOMENTS: Final = [
    *("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"),
    *("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"),
]
Since = Annotated[
    datetime | None, typer.Option(formats=MOMENTS, help="Created from this instant on (UTC).")
]
Until = Annotated[
    datetime | None, typer.Option(formats=MOMENTS, help="Created before this one (UTC).")
]
At = Annotated[datetime | None, typer.Option(formats=MOMENTS, help="As of this instant (UTC).")]
OldestFirst = Annotated[bool, typer.Option("--oldest-first", help="From the other end.")]
Customer = Annotated[str | None, typer.Option("--customer", help="Only of this customer (cust_…).")]
Invoice = Annotated[str | None, typer.Option("--invoice", help="Only of this invoice (inv_…).")]
Payment = Annotated[str | None, typer.Option("--payment", help="Only of this payment (pay_…).")]
Plan = Annotated[str | None, typer.Option("--plan", help="Only of this plan (plan_…).")]
Wallet = Annotated[str | None, typer.Option("--wallet", help="Only of this wallet (wal_…).")]
Contract = Annotated[
    str | None, typer.Option("--subscription", help="Only of this subscription (sub_…).")
]


def utc(given: datetime | None) -> Instant | None:
    """An instant as it was typed; they are all in UTC."""
    return None if given is None else given.replace(tzinfo=UTC)


def customer_of(text: str | None) -> CustomerId | None:
    """The customer named, if one is.

    Raises:
        InvalidInput: it is no id of a customer; the other nouns alike.
    """
    return None if text is None else CustomerId(an_id(text, prefix="cust", name="--customer"))


def invoice_of(text: str | None) -> InvoiceId | None:
    """The invoice named, if one is."""
    return None if text is None else InvoiceId(an_id(text, prefix="inv", name="--invoice"))


def payment_of(text: str | None) -> PaymentId | None:
    """The payment named, if one is."""
    return None if text is None else PaymentId(an_id(text, prefix="pay", name="--payment"))


def plan_of(text: str | None) -> PlanId | None:
    """The plan named, if one is."""
    return None if text is None else PlanId(an_id(text, prefix="plan", name="--plan"))


def contract_of(text: str | None) -> SubscriptionId | None:
    """The subscription named, if one is."""
    return (
        None if text is None else SubscriptionId(an_id(text, prefix="sub", name="--subscription"))
    )


def wallet_of(text: str | None, *, name: str = "--wallet") -> WalletId | None:
    """The wallet named, if one is."""
    return None if text is None else WalletId(an_id(text, prefix="wal", name=name))
