"""Tells the payment provider of a customer, or what changed about them."""

from bursar.domain.ids import CustomerId
from bursar.domain.provider import Declined, Linked
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
        request, mode = await caller.run(describe_customer, DescribeCustomer(customer_id))
    except NotFound:
        return  # deleted before their task came: nobody to tell of
    provider = caller.app.providers.get(mode)
    if provider is None:
        return  # a live organization without a live provider has nobody to tell
    outcome = await provider.ensure_customer(request)
    match outcome:
        case Linked(reference):
            await caller.run(link_customer, LinkCustomer(customer_id, reference, request))
        case Declined(message=message):
            raise ProviderFailed(f"The provider refused the customer: {message}")
        case _:
            raise ProviderFailed(f"The provider gave no usable answer: {outcome.reason}")
