"""A new customer, known to the payment provider by the time the caller hears of them, if it can be.

The commit that makes the customer leaves a task that tells the provider; this only tries at once.
"""

from collections.abc import Callable

from bursar.domain.customers import Customer
from bursar.domain.provider import CircuitOpen, Linked
from bursar.operations.customers import (
    CreateCustomer,
    DescribeCustomer,
    LinkCustomer,
    create_customer,
    describe_customer,
    link_customer,
)
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer


async def create_customer_everywhere(
    caller: Caller, command: CreateCustomer, answer: Callable[[Customer], Answer] | None = None
) -> Customer:
    """Create the customer here, then at the provider."""
    customer = await caller.run(create_customer, command)
    if caller.is_dry_run:
        return customer
    told = await caller.run(describe_customer, DescribeCustomer(customer.id))
    reference = None
    provider = caller.app.providers.get(told.mode)
    if provider is not None:
        try:
            outcome = await provider.ensure_customer(told.request)
        except CircuitOpen:
            outcome = None  # the task goes on trying
        reference = outcome.reference if isinstance(outcome, Linked) else None
    link = LinkCustomer(customer.id, reference, told.request)
    return await caller.run(link_customer, link, answer=answer)
