"""Recurring invoices for tests."""

from decimal import Decimal
from typing import Any

from tests.support.world import Org

from bursar.domain.customers import Customer
from bursar.domain.recurring_invoices import RecurringInterval, RecurringInvoice, RecurringLine
from bursar.operations.recurring_invoices import CreateRecurringInvoice, create_recurring_invoice


async def a_recurring_invoice(
    org: Org, customer: Customer | None = None, **terms: Any
) -> RecurringInvoice:
    """A monthly template of one line, from now on unless told otherwise."""
    told = {"interval": RecurringInterval.MONTH, **terms}
    command = CreateRecurringInvoice(
        customer_id=(customer or await org.customer(token=None)).id,
        lines=(RecurringLine("Retainer", 1, Decimal(2500)),),
        metadata={},
        **told,
    )
    return await org.caller.run(create_recurring_invoice, command)
