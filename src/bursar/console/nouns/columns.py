"""The words for columns, and the columns and filters that many nouns share.

What is declared here is called the same wherever it stands; what only one noun shows, that noun
declares.
"""

from enum import StrEnum
from typing import Final

from bursar.console.cells import Column, Kind
from bursar.console.nouns.shape import Filter


def text(label: str, *, of: str) -> Column:
    """Plain text."""
    return Column(label=label, field=of)


def wide(label: str, *, of: str) -> Column:
    """Text that takes what room there is."""
    return Column(label=label, field=of, is_wide=True)


def money(label: str, *, of: str, currency: str = "currency") -> Column:
    """An amount in minor units."""
    return Column(label=label, field=of, kind=Kind.MONEY, currency=currency)


def price(label: str, *, of: str, currency: str = "currency") -> Column:
    """An amount in minor units, with as many decimals as it has."""
    return Column(label=label, field=of, kind=Kind.PRICE, currency=currency)


def link(label: str, *, of: str) -> Column:
    """Somewhere else to go."""
    return Column(label=label, field=of, kind=Kind.LINK)


def instant(label: str, *, of: str) -> Column:
    """A moment."""
    return Column(label=label, field=of, kind=Kind.INSTANT)


def day(label: str, *, of: str) -> Column:
    """The day of a moment."""
    return Column(label=label, field=of, kind=Kind.DAY)


def status(*, of: str = "status", label: str = "Status") -> Column:
    """A state, with its color."""
    return Column(label=label, field=of, kind=Kind.STATUS)


def ref(label: str, *, of: str) -> Column:
    """Another thing's id."""
    return Column(label=label, field=of, kind=Kind.REF)


def count(label: str, *, of: str) -> Column:
    """A number of things."""
    return Column(label=label, field=of, kind=Kind.COUNT)


def flag(label: str, *, of: str) -> Column:
    """Yes or no."""
    return Column(label=label, field=of, kind=Kind.FLAG)


def percent(label: str, *, of: str) -> Column:
    """So many of a hundred."""
    return Column(label=label, field=of, kind=Kind.PERCENT)


def code(label: str, *, of: str) -> Column:
    """Letters for a machine."""
    return Column(label=label, field=of, kind=Kind.CODE)


def words(label: str, *, of: str) -> Column:
    """Several words, or a map."""
    return Column(label=label, field=of, kind=Kind.WORDS)


def structure(label: str, *, of: str) -> Column:
    """Whatever it is, as it is on the wire."""
    return Column(label=label, field=of, kind=Kind.JSON, is_wide=True)


def statuses(kind: type[StrEnum]) -> Filter:
    """The filter by state."""
    return Filter(name="status", label="Status", choices=tuple(kind))


ID: Final = code("Id", of="id")
NAME: Final = wide("Name", of="name")
EMAIL: Final = text("E-mail", of="email")
STATUS: Final = status()
METADATA: Final = words("Metadata", of="metadata")
CREATED: Final = instant("Created", of="createdAt")
UPDATED: Final = instant("Changed", of="updatedAt")
TOLD: Final = instant("When", of="createdAt")
OCCURRED: Final = instant("When", of="occurredAt")
SETTLED: Final = instant("Settled", of="settledAt")
PAUSED: Final = instant("Paused", of="pausedAt")
WHO: Final = ref("Who", of="actor")
WHY: Final = text("Why", of="reason")
CUSTOMER: Final = ref("Customer", of="customerId")
INVOICE: Final = ref("Invoice", of="invoiceId")
PAYMENT: Final = ref("Payment", of="paymentId")
PLAN: Final = ref("Plan", of="planId")
METER: Final = ref("Meter", of="meterId")
WALLET: Final = ref("Wallet", of="walletId")
INVOICE_NUMBER: Final = code("Number", of="invoiceNumber")
DESCRIPTION: Final = wide("Description", of="description")
WHAT_FOR: Final = text("What for", of="description")
QUANTITY: Final = count("Quantity", of="quantity")
UNIT_PRICE: Final = price("Unit price", of="unitAmountDecimal")
CURRENCY: Final = text("Currency", of="currency")
AMOUNT: Final = money("Amount", of="amountCents")
TOTAL: Final = money("Total", of="totalCents")
DUE: Final = money("Due", of="amountDueCents")
DUE_ON: Final = day("Due on", of="dueDate")
PERIOD_ENDS: Final = day("Period ends", of="currentPeriodEnd")
TAX: Final = money("Tax", of="taxAmountCents")
BALANCE: Final = money("Balance", of="balanceCents")
RATE: Final = percent("Rate", of="percentage")
MODEL: Final = text("Model", of="pricingModel")
KIND: Final = text("Kind", of="kind")
ATTEMPTS: Final = count("Attempts", of="attemptCount")
PROVIDER: Final = text("Provider", of="provider")
FAILURE: Final = text("Failure", of="failureMessage")
FAILURE_CODE: Final = text("Failure", of="failureCode")
OF_CUSTOMER: Final = Filter(name="customerId", label="Customer id")
OF_INVOICE: Final = Filter(name="invoiceId", label="Invoice id")
OF_PLAN: Final = Filter(name="planId", label="Plan id")
OF_SUBSCRIPTION: Final = Filter(name="subscriptionId", label="Subscription id")
OF_WALLET: Final = Filter(name="walletId", label="Wallet id")
SINCE: Final = Filter(name="createdAt[gte]", label="Created from")
BEFORE: Final = Filter(name="createdAt[lt]", label="Created before")
BY: Final = Filter(name="actor", label="By")
AS_OF: Final = Filter(name="at", label="As of")
