"""Attaches a tokenized payment method to a customer and makes it the one that is charged."""

from collections.abc import Callable
from dataclasses import dataclass

from bursar.domain.customers import Customer
from bursar.domain.ids import CustomerId
from bursar.domain.provider import CircuitOpen, Declined, Linked
from bursar.domain.refusals import PaymentDeclined, ProviderFailed, Unavailable
from bursar.operations.customers import (
    DescribeCustomer,
    UseMethod,
    prepare_method,
    use_method,
)
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer


@dataclass(frozen=True, slots=True)
class AttachMethod:
    """A token of the provider; never a card number."""

    customer_id: CustomerId
    provider_token: str


async def attach_method(
    caller: Caller, command: AttachMethod, answer: Callable[[Customer], Answer] | None = None
) -> Customer:
    """Make the customer known if need be, attach the method, keep its reference.

    Raises:
        PaymentDeclined: the provider refused the method.
        ProviderFailed: no usable answer.
    """
    request, mode = await caller.run(prepare_method, DescribeCustomer(command.customer_id))
    provider = caller.provider(mode)
    try:
        known = attached = await provider.ensure_customer(request)
        if isinstance(known, Linked):
            attached = await provider.attach_method(known.reference, command.provider_token)
    except CircuitOpen as away:
        raise Unavailable(
            "The payment provider is away.", facts={"retryAfterSeconds": away.retry_after_seconds}
        ) from away
    match attached:
        case Linked(method):
            assert isinstance(known, Linked)
            use = UseMethod(
                customer_id=command.customer_id,
                reference=known.reference,
                method_reference=method,
            )
            return await caller.run(use_method, use, answer=answer)
        case Declined(code=code, message=message):
            raise PaymentDeclined(message, facts={"declineCode": code})
        case _:
            raise ProviderFailed("The payment provider gave no usable answer; try again.")
