"""Attaches a tokenized payment method to a customer; unless told otherwise it is then charged."""

from collections.abc import Callable
from dataclasses import dataclass

from bursar.domain.ids import CustomerId
from bursar.domain.provider import (
    CircuitOpen,
    CustomerRequest,
    Declined,
    Linked,
    MethodAttached,
    MethodOutcome,
    PaymentProvider,
)
from bursar.domain.refusals import NotFound, PaymentDeclined, ProviderFailed, Unavailable
from bursar.operations.payment_methods import (
    KeepMethod,
    Kept,
    PrepareMethod,
    keep_method,
    prepare_method,
)
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer


@dataclass(frozen=True, slots=True)
class AttachMethod:
    """A token of the provider; never a card number."""

    customer_id: CustomerId
    provider_token: str
    is_default: bool = True


async def attach_method(
    caller: Caller, command: AttachMethod, answer: Callable[[Kept], Answer] | None = None
) -> Kept:
    """Make the customer known if need be, attach the method, keep what may be shown of it.

    Raises:
        PaymentDeclined: the provider refused the method.
        ProviderFailed: no usable answer.
        Unavailable: the provider is known to be away.
        NotFound: no such customer, or they went meanwhile.
    """
    request, mode = await caller.run(prepare_method, PrepareMethod(command.customer_id))
    provider = caller.provider(mode)
    try:
        reference, attached = await _attached(provider, request, command)
    except CircuitOpen as away:
        raise Unavailable(
            "The payment provider is away.", facts={"retryAfterSeconds": away.retry_after_seconds}
        ) from away
    match attached:
        case MethodAttached(method, face):
            keep = KeepMethod(
                customer_id=command.customer_id,
                customer_reference=reference,
                provider=provider.name,
                method_reference=method,
                face=face,
                is_default=command.is_default,
            )
            kept = await caller.run(keep_method, keep, answer=_of_kept(answer))
            if kept is None:
                raise NotFound(f"No customer {command.customer_id}.")
            return kept
        case Declined(code=code, message=message):
            raise PaymentDeclined(message, facts={"declineCode": code})
        case _:
            raise ProviderFailed("The payment provider gave no usable answer; try again.")


def _of_kept(
    answer: Callable[[Kept], Answer] | None,
) -> Callable[[Kept | None], Answer | None] | None:
    """What is answered of a method that was kept; a refusal answers for one that was not."""
    if answer is None:
        return None
    return lambda kept: None if kept is None else answer(kept)


async def _attached(
    provider: PaymentProvider, request: CustomerRequest, command: AttachMethod
) -> tuple[str, MethodOutcome]:
    known = await provider.ensure_customer(request)
    if not isinstance(known, Linked):
        return "", known
    attached = await provider.attach_method(
        known.reference, token=command.provider_token, is_default=command.is_default
    )
    return known.reference, attached
