"""How money comes, and where it goes on to: stored methods, and payouts to the bank."""

from typing import Final

from bursar.console.nouns.columns import (
    AMOUNT,
    BEFORE,
    CREATED,
    CUSTOMER,
    FAILURE_CODE,
    ID,
    OF_CUSTOMER,
    PROVIDER,
    SINCE,
    STATUS,
    UPDATED,
    code,
    count,
    instant,
    money,
    statuses,
    text,
)
from bursar.console.nouns.shape import Deed, Filter, Noun, Section
from bursar.domain.payout_reports import PayoutStatus

_CARD: Final = (
    text("Brand", of="brand"),
    code("Ends in", of="last4"),
    count("Month", of="expMonth"),
    count("Year", of="expYear"),
    CUSTOMER,
)

PAYMENT_METHODS: Final = Noun(
    slug="payment-methods",
    title="Payment methods",
    one="payment method",
    section=Section.PAYMENTS,
    teaches="Cards and accounts that customers can be charged by. A program attaches them with the"
    " provider's token; a card number never comes here.",
    rows="listPaymentMethods",
    columns=(
        *_CARD,
        instant("Detached", of="detachedAt"),
        CREATED,
    ),
    filters=(
        OF_CUSTOMER,
        Filter(name="includeDetached", label="Detached too", choices=("false", "true")),
    ),
    item="getPaymentMethod",
    id_name="paymentMethodId",
    headline=("brand", "last4"),
    facts=(
        text("Type", of="type"),
        *_CARD,
        PROVIDER,
        code("Provider's name for it", of="stripePaymentMethodId"),
        instant("Detached", of="detachedAt"),
        ID,
        CREATED,
        UPDATED,
    ),
    deeds=(
        Deed(
            slug="set-default",
            label="Charge this one",
            route="setDefaultPaymentMethod",
            words="It is charged from now on; what waits for another way to pay is tried at once.",
        ),
        Deed(
            slug="detach",
            label="Detach",
            route="detachPaymentMethod",
            words="It is charged no more.",
            needs_reason=True,
            tone="danger",
        ),
    ),
    command="bursar payment-method list",
)

PAYOUTS: Final = Noun(
    slug="payouts",
    title="Payouts",
    one="payout",
    section=Section.PAYMENTS,
    teaches="What the processor sent to the bank. The first comes days after the first payment.",
    rows="listPayouts",
    columns=(
        AMOUNT,
        money("Fees kept", of="feeCents"),
        STATUS,
        instant("Arrives", of="arrivesAt"),
        CREATED,
    ),
    filters=(statuses(PayoutStatus), SINCE, BEFORE),
    item="getPayout",
    id_name="payoutId",
    facts=(
        AMOUNT,
        money("Fees kept", of="feeCents"),
        count("Movements", of="movementCount"),
        FAILURE_CODE,
        PROVIDER,
        code("Provider's name for it", of="stripePayoutId"),
        instant("Sent", of="sentAt"),
        instant("Arrives", of="arrivesAt"),
        ID,
        CREATED,
        UPDATED,
    ),
    command="bursar payout list",
    tells="bursar payout show",
)

ALL: Final = (PAYMENT_METHODS, PAYOUTS)
