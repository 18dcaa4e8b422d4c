"""Saves a card without a payment: proven with its holder now, charged without them later.

Where the holder has to act (3-D Secure), nothing is kept yet: the same request, sent again when
they are back, finds the proof at the provider and keeps the method.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bursar.domain.ids import CustomerId
from bursar.domain.provider import (
    ActionRequired,
    CircuitOpen,
    CustomerRequest,
    Declined,
    Linked,
    MethodAttached,
    PaymentProvider,
    SetupOutcome,
    SetupRequest,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpMethod:
    """A token of the provider, and where its holder comes back to."""

    customer_id: CustomerId
    provider_token: str
    return_url: str
    is_default: bool = True


async def set_up_method(
    caller: Caller, command: SetUpMethod, answer: Callable[[Kept], Answer] | None = None
) -> Kept | ActionRequired:
    """Prove the method and keep it, or say where its holder has to go first.

    Raises:
        PaymentDeclined: the provider refused the method, or its holder could not be proven.
        ProviderFailed: no usable answer.
        Unavailable: the provider is known to be away.
        NotFound: no such customer, or they went meanwhile.
    """
    known, mode = await caller.run(prepare_method, PrepareMethod(command.customer_id))
    provider = caller.provider(mode)
    try:
        reference, said = await _proven(provider, known, command)
    except CircuitOpen as away:
        wait = {"retryAfterSeconds": away.retry_after_seconds}
        raise Unavailable("The payment provider is away.", facts=wait) from away
    match said:
        case MethodAttached(method, face):
            keep = KeepMethod(
                customer_id=command.customer_id,
                customer_reference=reference,
                provider=provider.name,
                method_reference=method,
                face=face,
                is_default=command.is_default,
            )
            return await _kept(caller, keep, answer)
        case ActionRequired():
            await caller.release()  # the same key may ask again when the holder is back
            return said
        case Declined(code=code, message=message):
            raise PaymentDeclined(message, facts={"declineCode": code})
        case _:
            raise ProviderFailed("The payment provider gave no usable answer; try again.")


async def _kept(caller: Caller, keep: KeepMethod, answer: Callable[[Kept], Answer] | None) -> Kept:
    def of_kept(kept: Kept | None) -> Answer | None:
        return None if answer is None or kept is None else answer(kept)

    kept = await caller.run(keep_method, keep, answer=of_kept)
    if kept is None:
        raise NotFound(f"No customer {keep.customer_id}.")
    return kept


async def _proven(
    provider: PaymentProvider, customer: CustomerRequest, command: SetUpMethod
) -> tuple[str, SetupOutcome]:
    known = await provider.ensure_customer(customer)
    if not isinstance(known, Linked):
        return "", known
    request = SetupRequest(
        org_id=customer.org_id,
        customer_id=command.customer_id,
        customer_reference=known.reference,
        token=command.provider_token,
        return_url=command.return_url,
        is_default=command.is_default,
    )
    return known.reference, await provider.set_up_method(request)
