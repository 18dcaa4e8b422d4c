"""Attaches a tokenized payment method to a customer; unless told otherwise it is then charged."""

from collections.abc import Callable
from dataclasses import dataclass

from bursar.domain.ids import CustomerId
from bursar.domain.provider import CustomerRequest, Linked, MethodOutcome, PaymentProvider
from bursar.flows.away import refused_while_away
from bursar.flows.save_method import Holder, saved_method
from bursar.operations.payment_methods import Kept, PrepareMethod, prepare_method
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
    with refused_while_away():
        reference, attached = await _attached(provider, request, command)
    holder = Holder(
        customer_id=command.customer_id,
        reference=reference,
        provider=provider.name,
        is_default=command.is_default,
    )
    return await saved_method(caller, holder, attached, answer)


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
