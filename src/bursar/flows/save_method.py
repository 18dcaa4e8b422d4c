"""How both ways to a saved payment method end: it is kept, or the caller hears why not."""

from collections.abc import Callable
from dataclasses import dataclass

from bursar.domain.ids import CustomerId
from bursar.domain.provider import Declined, MethodAttached, MethodOutcome
from bursar.domain.refusals import NotFound, PaymentDeclined, ProviderFailed
from bursar.operations.payment_methods import KeepMethod, Kept, keep_method
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose method it is, here and at the provider, and whether it becomes their usual one."""

    customer_id: CustomerId
    reference: str
    provider: str
    is_default: bool


async def saved_method(
    caller: Caller,
    holder: Holder,
    said: MethodOutcome,
    answer: Callable[[Kept], Answer] | None,
) -> Kept:
    """What may be shown of the method that the provider attached, kept.

    Raises:
        PaymentDeclined: the provider refused it, or its holder could not be proven.
        ProviderFailed: no usable answer.
        NotFound: the customer went meanwhile.
    """
    match said:
        case MethodAttached(method, face):
            keep = KeepMethod(
                customer_id=holder.customer_id,
                customer_reference=holder.reference,
                provider=holder.provider,
                method_reference=method,
                face=face,
                is_default=holder.is_default,
            )
            kept = await caller.run(keep_method, keep, answer=_of_kept(answer))
            if kept is None:
                raise NotFound(f"No customer {holder.customer_id}.")
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
