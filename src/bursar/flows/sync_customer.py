"""Tells the payment provider of a customer, or what changed about them.

Of one who was erased it keeps no method either, also none that nobody here has heard of.
"""

from bursar.domain.ids import CustomerId
from bursar.domain.provider import Declined, Linked, PaymentProvider
from bursar.domain.refusals import NotFound, ProviderFailed
from bursar.operations.customers import (
    DescribeCustomer,
    LinkCustomer,
    describe_customer,
    link_customer,
)
from bursar.runtime.app import Caller


async def sync_customer(caller: Caller, customer_id: CustomerId) -> None:
    """Send what is true now; repeating it is harmless.

    Raises:
        ProviderFailed: it could not be told; the task tries again.
    """
    try:
        told = await caller.run(describe_customer, DescribeCustomer(customer_id))
    except NotFound:
        return  # deleted before their task came: nobody to tell of
    provider = caller.app.providers.get(told.mode)
    if provider is None:
        return  # a live organization without a live provider has nobody to tell
    outcome = await provider.ensure_customer(told.request)
    match outcome:
        case Linked(reference):
            await caller.run(link_customer, LinkCustomer(customer_id, reference, told.request))
            if told.is_erased:
                await _strip(provider, reference)
        case Declined(message=message):
            raise ProviderFailed(f"The provider refused the customer: {message}")
        case _:
            raise ProviderFailed(f"The provider gave no usable answer: {outcome.reason}")


async def _strip(provider: PaymentProvider, reference: str) -> None:
    """Nothing can be charged there any more.

    Raises:
        ProviderFailed: it could not be told; the task tries again.
    """
    outcome = await provider.detach_methods(reference)
    if not isinstance(outcome, Linked):
        raise ProviderFailed("The provider did not take the customer's payment methods from them.")
