"""Money that comes in, goes back, is fought over, or does not come."""

from typing import Final

from bursar.console.nouns.buttons import going_on, pausing
from bursar.console.nouns.columns import (
    AMOUNT,
    ATTEMPTS,
    BEFORE,
    CREATED,
    CUSTOMER,
    FAILURE,
    FAILURE_CODE,
    ID,
    INVOICE,
    OF_CUSTOMER,
    OF_INVOICE,
    PAUSED,
    PAYMENT,
    PROVIDER,
    SETTLED,
    SINCE,
    STATUS,
    UPDATED,
    WALLET,
    WHY,
    code,
    count,
    flag,
    instant,
    money,
    ref,
    status,
    statuses,
    structure,
    text,
)
from bursar.console.nouns.shape import Deed, Filter, Noun, Section
from bursar.console.nouns.tables import against_payment
from bursar.domain.dispute_reports import DisputeStatus
from bursar.domain.payments import PaymentStatus
from bursar.domain.refunds import RefundStatus

_OF_PAYMENT: Final = Filter(name="paymentId", label="Payment id")

PAYMENTS: Final = Noun(
    slug="payments",
    title="Payments",
    one="payment",
    section=Section.PAYMENTS,
    teaches="Each try to collect money is a payment, the failed ones too. The first appears when"
    " an open invoice is paid or charged.",
    rows="listPayments",
    columns=(
        AMOUNT,
        STATUS,
        CUSTOMER,
        INVOICE,
        FAILURE_CODE,
        CREATED,
    ),
    filters=(
        statuses(PaymentStatus),
        OF_CUSTOMER,
        OF_INVOICE,
        SINCE,
        BEFORE,
    ),
    item="getPayment",
    id_name="paymentId",
    facts=(
        AMOUNT,
        money("Refunded", of="refundedCents"),
        money("Can be refunded", of="refundableCents"),
        CUSTOMER,
        INVOICE,
        WALLET,
        PROVIDER,
        code("Provider's name for it", of="stripePaymentIntentId"),
        text("How", of="mode"),
        FAILURE,
        code("Decline code", of="failureCode"),
        ATTEMPTS,
        SETTLED,
        ID,
        CREATED,
        UPDATED,
    ),
    parts=(
        against_payment(
            title="Refunds", route="listRefunds", noun="refunds", teaches="Nothing was given back."
        ),
        against_payment(title="Disputes", route="listDisputes", noun="disputes", teaches="None."),
    ),
    deeds=(
        Deed(
            slug="refund",
            label="Refund all",
            route="refundAPayment",
            when=("succeeded", "partially_refunded"),
            words="Everything that can still be refunded goes back to where it came from.",
            needs_reason=True,
            tone="danger",
        ),
        Deed(
            slug="refund-part",
            label="Refund a part",
            route="refundAPart",
            when=("succeeded", "partially_refunded"),
            words="The amount goes back to where it came from.",
            needs_reason=True,
        ),
    ),
    export="exportPayments",
    command="bursar payment list",
)

REFUNDS: Final = Noun(
    slug="refunds",
    title="Refunds",
    one="refund",
    section=Section.PAYMENTS,
    teaches="Money given back. Open a payment that succeeded to refund it.",
    rows="listRefunds",
    columns=(
        AMOUNT,
        STATUS,
        PAYMENT,
        CUSTOMER,
        WHY,
        CREATED,
    ),
    filters=(
        statuses(RefundStatus),
        _OF_PAYMENT,
        OF_CUSTOMER,
        SINCE,
        BEFORE,
    ),
    item="getRefund",
    id_name="refundId",
    facts=(
        AMOUNT,
        PAYMENT,
        INVOICE,
        CUSTOMER,
        WHY,
        PROVIDER,
        code("Provider's name for it", of="stripeRefundId"),
        FAILURE,
        SETTLED,
        ID,
        CREATED,
    ),
)

DISPUTES: Final = Noun(
    slug="disputes",
    title="Disputes",
    one="dispute",
    section=Section.PAYMENTS,
    teaches="A bank took a payment back for its customer. Nothing here is good news to find.",
    rows="listDisputes",
    columns=(
        AMOUNT,
        STATUS,
        WHY,
        PAYMENT,
        instant("Evidence until", of="evidenceDueAt"),
        CREATED,
    ),
    filters=(statuses(DisputeStatus), _OF_PAYMENT),
    item="getDispute",
    id_name="disputeId",
    facts=(
        AMOUNT,
        money("Withdrawn", of="withdrawnCents"),
        money("Fee", of="feeCents"),
        WHY,
        PAYMENT,
        INVOICE,
        CUSTOMER,
        instant("Evidence until", of="evidenceDueAt"),
        instant("Closed", of="closedAt"),
        code("Provider's name for it", of="stripeDisputeId"),
        ID,
        CREATED,
    ),
)

DUNNING: Final = Noun(
    slug="dunning",
    title="Dunning",
    one="case",
    section=Section.PAYMENTS,
    teaches="Nobody owes you a payment that failed. When one fails, its case appears here with"
    " every try to come.",
    rows="listDunning",
    columns=(
        CUSTOMER,
        INVOICE,
        status(of="currentAction", label="Step"),
        count("Tries", of="retryCount"),
        count("Of", of="maxRetries"),
        instant("Next try", of="nextRetryAt"),
        text("Decline", of="declineCode"),
    ),
    filters=(
        Filter(name="isResolved", label="Resolved", choices=("false", "true")),
        OF_CUSTOMER,
    ),
    item="getDunning",
    id_name="invoiceId",
    id_field="invoiceId",
    headline=("customer.name", "id"),
    status="currentAction",
    facts=(
        INVOICE,
        CUSTOMER,
        ref("Subscription", of="subscriptionId"),
        count("Tries", of="retryCount"),
        count("Of", of="maxRetries"),
        instant("Next try", of="nextRetryAt"),
        text("Decline", of="declineCode"),
        flag("Needs another card", of="needsNewMethod"),
        PAUSED,
        text("Why paused", of="pauseReason"),
        instant("Resolved", of="resolvedAt"),
        text("How", of="resolution"),
        structure("Policy", of="policy"),
    ),
    deeds=(
        Deed(
            slug="retry",
            label="Try now",
            route="retryDunningNow",
            words="The stored way to pay is charged at once, beside the plan.",
            needs_reason=True,
            tone="main",
        ),
        pausing(route="pauseOneDunning", words="No try, no mail and no step until it goes on."),
        going_on(route="resumeOneDunning", words="The plan goes on where it stopped."),
        Deed(
            slug="resolve",
            label="Resolve",
            route="resolveOneDunning",
            words="The case is closed; the invoice stays as it is.",
            needs_reason=True,
        ),
    ),
    command="bursar dunning status",
)

ALL: Final = (PAYMENTS, REFUNDS, DISPUTES, DUNNING)
