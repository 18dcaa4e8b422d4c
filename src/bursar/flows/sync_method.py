"""Tells the payment provider what became of a method here: detached, or charged by default."""

from bursar.domain.ids import PaymentMethodId
from bursar.domain.provider import Unknown
from bursar.domain.refusals import ProviderFailed
from bursar.operations.payment_methods import NameMethod, describe_method
from bursar.runtime.app import Caller


async def sync_method(caller: Caller, method_id: PaymentMethodId) -> None:
    """Send what is true now; repeating it is harmless, and what is gone there is gone.

    Raises:
        ProviderFailed: it could not be told; the task tries again.
    """
    standing = await caller.run(describe_method, NameMethod(method_id))
    provider = caller.app.providers.get(standing.mode)
    if provider is None or provider.name != standing.method.provider:
        return  # a live organization without a live provider has nobody to tell
    reference = standing.method.provider_reference
    if standing.method.detached_at is not None:
        outcome = await provider.detach_method(reference)
    elif standing.is_default and standing.customer_reference is not None:
        outcome = await provider.choose_method(standing.customer_reference, method=reference)
    else:
        return
    if isinstance(outcome, Unknown):
        raise ProviderFailed(f"The provider gave no usable answer: {outcome.reason}")
