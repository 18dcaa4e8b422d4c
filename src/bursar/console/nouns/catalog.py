"""What is sold: plans, what they count, what is off, and the taxes on top."""

from typing import Final

from bursar.console.nouns.buttons import (
    BILLED,
    SUBSCRIBED,
    archiving,
    editing,
    going_on,
    making,
    pausing,
)
from bursar.console.nouns.columns import (
    AMOUNT,
    BEFORE,
    CREATED,
    CURRENCY,
    CUSTOMER,
    DESCRIPTION,
    ID,
    METADATA,
    METER,
    MODEL,
    NAME,
    OF_CUSTOMER,
    OF_PLAN,
    PAUSED,
    PERIOD_ENDS,
    PLAN,
    QUANTITY,
    RATE,
    SINCE,
    STATUS,
    UNIT_PRICE,
    UPDATED,
    code,
    count,
    day,
    flag,
    instant,
    money,
    percent,
    statuses,
    text,
    wide,
    words,
)
from bursar.console.nouns.shape import Deed, Filter, Noun, Part, Section
from bursar.domain.catalog import PlanStatus
from bursar.domain.discounts import CouponStatus
from bursar.domain.subscriptions import SubscriptionStatus
from bursar.domain.tax_rates import TaxRateStatus

SUBSCRIPTIONS: Final = Noun(
    slug="subscriptions",
    title="Subscriptions",
    one="subscription",
    section=Section.BILLING,
    teaches="A subscription bills a plan to a customer, period after period. Open a customer and"
    " press Subscribe.",
    rows="listSubscriptions",
    columns=(
        CUSTOMER,
        PLAN,
        STATUS,
        QUANTITY,
        PERIOD_ENDS,
        CREATED,
    ),
    filters=(
        statuses(SubscriptionStatus),
        OF_CUSTOMER,
        OF_PLAN,
        SINCE,
        BEFORE,
    ),
    item="getSubscription",
    id_name="subscriptionId",
    headline=("customer.name", "id"),
    facts=(
        CUSTOMER,
        PLAN,
        count("Price version", of="priceVersion"),
        QUANTITY,
        day("Started", of="startDate"),
        day("Trial ends", of="trialEnd"),
        day("Period began", of="currentPeriodStart"),
        PERIOD_ENDS,
        flag("Ends with the period", of="cancelAtPeriodEnd"),
        text("Why it ends", of="cancellationReason"),
        PAUSED,
        instant("Canceled", of="canceledAt"),
        instant("Ended", of="endedAt"),
        METADATA,
        ID,
        CREATED,
        UPDATED,
    ),
    parts=(
        Part(
            title="To be billed",
            route="listPendingLines",
            ids={"subscriptionId": "id"},
            columns=(
                DESCRIPTION,
                QUANTITY,
                day("Due", of="dueAt"),
                AMOUNT,
            ),
            teaches="Nothing waits.",
        ),
        Part(
            title="Usage in this period",
            route="getUsageSummary",
            ids={"subscriptionId": "id"},
            own="meters",
            columns=(
                wide("Meter", of="name"),
                count("Events", of="eventCount"),
                QUANTITY,
                money("So far", of="amountCents"),
            ),
            teaches="The plan counts nothing.",
        ),
        Part(
            title="Usage events",
            route="listUsageEvents",
            ids={"subscriptionId": "id"},
            columns=(
                instant("When", of="timestamp"),
                METER,
                QUANTITY,
                code("Key", of="idempotencyKey"),
            ),
            teaches="Nothing was reported. Send usage to POST /v1/usage.",
        ),
    ),
    deeds=(
        Deed(
            slug="change-plan",
            label="Change plan",
            route="changePlanOfSubscription",
            when=("trialing", "active", "past_due"),
            words="The preview shows what is credited and billed, to the cent.",
            needs_reason=True,
            tone="main",
        ),
        Deed(
            slug="edit",
            label="Change quantity",
            route="editSubscription",
            when=("trialing", "active", "past_due"),
            words="The preview shows what is credited and billed, to the cent.",
            fields=("quantity", "proration"),
            is_edit=True,
        ),
        pausing(
            route="pauseOneSubscription",
            words="Nothing is billed until it goes on.",
            when=("active", "past_due"),
        ),
        going_on(
            route="resumeOneSubscription", words="A new period begins today.", when=("paused",)
        ),
        Deed(
            slug="cancel",
            label="Cancel",
            route="cancelOneSubscription",
            when=("trialing", "active", "past_due", "paused"),
            words="At the end of the period, or at once.",
            tone="danger",
            needs_reason=True,
        ),
        Deed(
            slug="reactivate",
            label="Take the cancellation back",
            route="reactivateOneSubscription",
            when=("trialing", "active", "past_due", "paused", "canceled"),
            only_if="canceledAt",
            words="It goes on as if it had not been canceled.",
        ),
    ),
    makes=(
        making(
            label="New subscription", route="createOneSubscription", words=BILLED, fields=SUBSCRIBED
        ),
    ),
    command="bursar subscription list",
    tells="bursar subscription show",
)

PLANS: Final = Noun(
    slug="plans",
    title="Plans",
    one="plan",
    section=Section.CATALOG,
    teaches="A plan is a price and how often it is due. Create one, then subscribe a customer.",
    rows="listPlans",
    columns=(
        NAME,
        STATUS,
        MODEL,
        AMOUNT,
        text("Every", of="billingInterval"),
        count("Version", of="priceVersion"),
        CREATED,
    ),
    filters=(Filter(name="q", label="Name"), statuses(PlanStatus), SINCE, BEFORE),
    item="getPlan",
    id_name="planId",
    headline=("name",),
    facts=(
        text("Description", of="description"),
        MODEL,
        AMOUNT,
        UNIT_PRICE,
        CURRENCY,
        text("Every", of="billingInterval"),
        count("Trial days", of="trialPeriodDays"),
        count("Price version", of="priceVersion"),
        METER,
        METADATA,
        instant("Archived", of="archivedAt"),
        ID,
        CREATED,
        UPDATED,
    ),
    parts=(
        Part(
            title="Tiers",
            own="tiers",
            columns=(
                count("Up to", of="upTo"),
                UNIT_PRICE,
                money("Flat", of="flatAmountCents"),
            ),
            teaches="One price for any quantity.",
        ),
        Part(
            title="Further charges",
            own="charges",
            columns=(
                NAME,
                MODEL,
                AMOUNT,
                UNIT_PRICE,
                METER,
            ),
            teaches="None.",
        ),
        Part(
            title="Subscriptions",
            route="listSubscriptions",
            query={"planId": "id"},
            noun="subscriptions",
            columns=(CUSTOMER, STATUS, QUANTITY, CREATED),
            teaches="Nobody has it.",
        ),
    ),
    deeds=(
        editing(
            route="editPlan",
            words="A new price is a new version; who has the old one keeps it.",
            when=("active",),
        ),
        archiving(
            route="archiveOnePlan",
            words="Nobody can subscribe any more; running subscriptions go on.",
            needs_reason=True,
        ),
    ),
    makes=(
        making(
            label="New plan",
            route="createOnePlan",
            words="A flat plan needs a name, an amount and an interval.",
        ),
    ),
    command="bursar plan list",
    tells="bursar plan show",
)

METERS: Final = Noun(
    slug="meters",
    title="Meters",
    one="meter",
    section=Section.CATALOG,
    teaches="A meter says how usage is counted: a sum, a maximum, how many different ones.",
    rows="listMeters",
    columns=(
        NAME,
        code("Key", of="key"),
        text("Counts", of="aggregation"),
        CREATED,
    ),
    filters=(Filter(name="key", label="Key"),),
    item="getMeter",
    id_name="meterId",
    headline=("name",),
    facts=(
        code("Key", of="key"),
        text("Counts", of="aggregation"),
        text("Property", of="property"),
        words("Thresholds", of="thresholds"),
        ID,
        CREATED,
    ),
    makes=(
        making(
            label="New meter", route="createMeter", words="How it counts cannot be changed later."
        ),
    ),
    command="bursar meter list",
)

COUPONS: Final = Noun(
    slug="coupons",
    title="Coupons",
    one="coupon",
    section=Section.CATALOG,
    teaches="A percentage or an amount off: once, for some months, or for ever.",
    rows="listCoupons",
    columns=(
        NAME,
        STATUS,
        percent("Off", of="percentOff"),
        money("Amount off", of="amountOffCents"),
        text("For", of="duration"),
        CREATED,
    ),
    filters=(statuses(CouponStatus),),
    item="getCoupon",
    id_name="couponId",
    headline=("name",),
    facts=(
        percent("Off", of="percentOff"),
        money("Amount off", of="amountOffCents"),
        text("For", of="duration"),
        count("Months", of="months"),
        METADATA,
        instant("Archived", of="archivedAt"),
        ID,
        CREATED,
    ),
    deeds=(
        archiving(
            route="archiveOneCoupon", words="It cannot be given any more; who has it keeps it."
        ),
    ),
    makes=(
        making(
            label="New coupon",
            route="createOneCoupon",
            words="Give either a percentage or an amount.",
            fields=("name", "duration", "percentOff", "amountOffCents", "months", "metadata"),
        ),
    ),
    command="bursar coupon list",
    tells="bursar coupon show",
)

TAX_RATES: Final = Noun(
    slug="tax-rates",
    title="Tax rates",
    one="tax rate",
    section=Section.CATALOG,
    teaches="A tax rate is put on lines by hand, or by itself where it is automatic.",
    rows="listTaxRates",
    columns=(
        NAME,
        RATE,
        text("Country", of="country"),
        flag("Included", of="inclusive"),
        flag("Automatic", of="automatic"),
        STATUS,
    ),
    filters=(statuses(TaxRateStatus),),
    item="getTaxRate",
    id_name="taxRateId",
    headline=("name",),
    facts=(
        RATE,
        flag("Included in prices", of="inclusive"),
        text("Category", of="category"),
        text("Country", of="country"),
        text("Note on invoices", of="note"),
        flag("Automatic", of="automatic"),
        METADATA,
        ID,
        CREATED,
    ),
    deeds=(
        archiving(
            route="archiveOneTaxRate",
            words="It is put on nothing new; invoices keep what they say.",
        ),
    ),
    makes=(
        making(
            label="New tax rate",
            route="createOneTaxRate",
            words="The percentage cannot be changed later.",
        ),
    ),
    command="bursar tax-rate list",
    tells="bursar tax-rate show",
)

ALL: Final = (SUBSCRIPTIONS, PLANS, METERS, COUPONS, TAX_RATES)
