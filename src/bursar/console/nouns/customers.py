"""Customers: who is billed, and everything that happened to them."""

from typing import Final

from bursar.console.nouns.buttons import (
    BILLED,
    DRAFT_FIELDS,
    DRAFTED,
    SUBSCRIBED,
    deleting,
    editing,
    making,
)
from bursar.console.nouns.columns import (
    BALANCE,
    BEFORE,
    CREATED,
    CURRENCY,
    DUE,
    DUE_ON,
    EMAIL,
    ID,
    INVOICE_NUMBER,
    METADATA,
    NAME,
    PERIOD_ENDS,
    PLAN,
    SINCE,
    STATUS,
    TOLD,
    TOTAL,
    UPDATED,
    WHO,
    WHY,
    flag,
    money,
    text,
    words,
)
from bursar.console.nouns.shape import Deed, Filter, Noun, Part, Section
from bursar.console.nouns.tables import payments_by

CUSTOMERS: Final = Noun(
    slug="customers",
    title="Customers",
    one="customer",
    section=Section.BILLING,
    teaches="A customer is whom you bill: an address for invoices, a currency, a way to pay."
    " Create the first one here, or send one to POST /v1/customers.",
    rows="listCustomers",
    columns=(
        NAME,
        EMAIL,
        CURRENCY,
        CREATED,
    ),
    filters=(
        Filter(name="q", label="Name or e-mail"),
        Filter(name="email", label="Exact e-mail"),
        SINCE,
        BEFORE,
    ),
    item="getCustomer",
    id_name="customerId",
    headline=("name", "email"),
    facts=(
        EMAIL,
        CURRENCY,
        text("Tax id", of="taxId"),
        text("Tax treatment", of="taxTreatment"),
        words("Address", of="address"),
        flag("Has a way to pay", of="defaultPaymentMethodId"),
        METADATA,
        ID,
        CREATED,
        UPDATED,
    ),
    parts=(
        Part(
            title="Credit balance",
            route="getCreditBalance",
            ids={"customerId": "id"},
            columns=(money("Credit", of="balanceCents"), CURRENCY),
        ),
        Part(
            title="Invoices",
            route="listInvoices",
            query={"customerId": "id"},
            noun="invoices",
            columns=(
                INVOICE_NUMBER,
                STATUS,
                TOTAL,
                DUE,
                DUE_ON,
            ),
            teaches="No invoice yet.",
        ),
        Part(
            title="Subscriptions",
            route="listSubscriptions",
            query={"customerId": "id"},
            noun="subscriptions",
            columns=(PLAN, STATUS, PERIOD_ENDS),
            teaches="No subscription yet.",
        ),
        payments_by("customerId", teaches="No payment yet."),
        Part(
            title="Wallets",
            route="listWallets",
            query={"customerId": "id"},
            noun="wallets",
            columns=(text("Name", of="name"), STATUS, BALANCE),
            teaches="No wallet.",
        ),
        Part(
            title="Timeline",
            route="listAuditLog",
            query={"resourceId": "id"},
            columns=(
                TOLD,
                text("What", of="action"),
                WHO,
                WHY,
            ),
        ),
    ),
    deeds=(
        editing(route="updateCustomerDetails", words="Invoices that are final keep what they say."),
        Deed(
            slug="invoice",
            label="New invoice",
            route="createDraft",
            words=DRAFTED,
            given={"customerId": "id"},
            fields=DRAFT_FIELDS,
            tone="main",
            has_totals=True,
        ),
        Deed(
            slug="subscribe",
            label="Subscribe",
            route="createOneSubscription",
            words=BILLED,
            given={"customerId": "id"},
            fields=SUBSCRIBED,
        ),
        Deed(
            slug="erase",
            label="Erase",
            route="eraseOneCustomer",
            words="Name, address and everything personal is gone for good; invoices keep what"
            " the law asks for.",
            tone="danger",
            needs_reason=True,
        ),
        deleting(
            route="deleteOneCustomer",
            words="Open invoices and running subscriptions stand in the way. Invoices stay.",
        ),
    ),
    makes=(
        making(
            label="New customer",
            route="createCustomer",
            words="Only the address and the name are needed.",
        ),
    ),
    command="bursar customer list",
    tells="bursar customer show",
)

ALL: Final = (CUSTOMERS,)
