"""What the database keeps of payment methods becomes the noun again."""

from bursar.domain import ids
from bursar.domain.payment_methods import PaymentMethod
from bursar.domain.provider import MethodFace
from bursar.domain.rows import Record


def row_to_payment_method(record: Record) -> PaymentMethod:
    """From every column of `payment_methods`."""
    return PaymentMethod(
        id=ids.PaymentMethodId(ids.print_id("pm", record["id"])),
        customer_id=ids.CustomerId(ids.print_id("cust", record["customer_id"])),
        provider=record["provider"],
        provider_reference=record["provider_reference"],
        face=MethodFace(
            kind=record["kind"],
            brand=record["brand"],
            last4=record["last4"],
            exp_month=record["exp_month"],
            exp_year=record["exp_year"],
        ),
        detached_at=record["detached_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
