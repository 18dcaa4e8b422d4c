"""What programs see: webhooks, the event feed, the audit trail, keys and mail."""

from typing import Final

from bursar.console.nouns.buttons import deleting, editing, going_on, making, pausing
from bursar.console.nouns.columns import (
    ATTEMPTS,
    BEFORE,
    BY,
    CREATED,
    ID,
    INVOICE,
    NAME,
    OF_INVOICE,
    PAUSED,
    SINCE,
    STATUS,
    TOLD,
    UPDATED,
    WHO,
    code,
    count,
    flag,
    instant,
    ref,
    status,
    statuses,
    structure,
    text,
    wide,
    words,
)
from bursar.console.nouns.shape import Deed, Filter, Noun, Part, Section
from bursar.domain.mails import MailStatus
from bursar.domain.webhook_subscriptions import DeliveryStatus

WEBHOOKS: Final = Noun(
    slug="webhooks",
    title="Webhooks",
    one="endpoint",
    section=Section.DEVELOPERS,
    teaches="An endpoint of yours hears of everything that happens, signed, in order, and again"
    " until it says yes.",
    rows="listWebhookSubscriptions",
    columns=(wide("URL", of="url"), STATUS, words("Hears", of="eventTypes"), CREATED),
    item="getWebhookSubscription",
    id_name="webhookSubscriptionId",
    headline=("url",),
    facts=(
        text("Description", of="description"),
        words("Hears", of="eventTypes"),
        text("Why it is off", of="offReason"),
        instant("Off since", of="offAt"),
        PAUSED,
        instant("Old secret works until", of="rotationEndsAt"),
        ID,
        CREATED,
        UPDATED,
    ),
    parts=(
        Part(
            title="Health",
            route="getWebhookSubscriptionHealth",
            ids={"webhookSubscriptionId": "id"},
            columns=(
                status(of="condition", label="Condition"),
                count("Failures in a row", of="consecutiveFailures"),
                count("Waiting", of="waitingCount"),
                instant("Since", of="waitingSince"),
                instant("Next try", of="nextTrialAt"),
            ),
        ),
        Part(
            title="Deliveries",
            route="listDeliveries",
            ids={"webhookSubscriptionId": "id"},
            noun="deliveries",
            columns=(
                text("Event", of="eventType"),
                STATUS,
                ATTEMPTS,
                text("Answer", of="lastResponseStatus"),
                instant("Last try", of="lastAttemptAt"),
                instant("Next try", of="nextAttemptAt"),
                CREATED,
            ),
            filters=(
                statuses(DeliveryStatus),
                Filter(name="eventType", label="Event"),
                Filter(name="eventId", label="Event id"),
                Filter(name="resourceId", label="About (id)"),
                SINCE,
                BEFORE,
            ),
            teaches="Nothing was sent yet. Press Send a test.",
        ),
    ),
    deeds=(
        Deed(
            slug="test",
            label="Send a test",
            route="testWebhookSubscription",
            words="A made-up event of the type you choose, signed like any other.",
            tone="main",
        ),
        Deed(
            slug="replay",
            label="Replay",
            route="replayToWebhookSubscription",
            words="Events of the past are sent again, as they were.",
            needs_reason=True,
        ),
        editing(
            route="updateWebhookSubscription", words="What happened before goes where it went."
        ),
        pausing(
            route="pauseWebhookSubscription", words="What happens waits for it.", when=("active",)
        ),
        going_on(
            route="resumeWebhookSubscription",
            words="What waited is sent, oldest first.",
            when=("paused", "off"),
        ),
        Deed(
            slug="rotate",
            label="New secret",
            route="rotateWebhookSubscription",
            words="The new secret is shown once; for a day both sign.",
            needs_reason=True,
        ),
        deleting(route="deleteWebhookSubscription", words="Nothing is sent there any more."),
    ),
    makes=(
        making(
            label="New endpoint",
            route="createWebhookSubscription",
            words="Its secret is shown once, after you press the button.",
        ),
    ),
    command="bursar webhook list",
)

DELIVERIES: Final = Noun(
    slug="deliveries",
    title="Deliveries",
    one="delivery",
    section=Section.DEVELOPERS,
    teaches="",
    item="getDelivery",
    id_name="deliveryId",
    headline=("eventType",),
    facts=(
        ref("Endpoint", of="webhookSubscriptionId"),
        ref("Event", of="eventId"),
        ATTEMPTS,
        instant("Next try", of="nextAttemptAt"),
        ID,
        CREATED,
    ),
    parts=(
        Part(
            title="Attempts",
            own="attempts",
            columns=(
                count("No.", of="number"),
                instant("When", of="attemptedAt"),
                text("Answer", of="responseStatus"),
                count("Milliseconds", of="durationMs"),
                text("Failure", of="failure"),
                wide("Answered", of="responseBody"),
            ),
            teaches="Not sent yet.",
        ),
    ),
    deeds=(
        Deed(
            slug="retry",
            label="Send again",
            route="retryOneDelivery",
            words="The same event with the same id, signed anew.",
            tone="main",
        ),
    ),
)

EVENTS: Final = Noun(
    slug="events",
    title="Events",
    one="event",
    section=Section.DEVELOPERS,
    teaches="Whatever happens is told here, in order, and kept.",
    rows="listEvents",
    columns=(
        TOLD,
        wide("What", of="type"),
        count("No.", of="sequence"),
        ID,
    ),
    filters=(
        Filter(name="type", label="Type"),
        Filter(name="resourceId", label="About (id)"),
        BY,
    ),
    item="getEvent",
    id_name="eventId",
    headline=("type",),
    facts=(
        count("No.", of="sequence"),
        structure("As it was told", of="data"),
        structure("Before", of="previousAttributes"),
        ID,
        CREATED,
    ),
    command="bursar event list",
    flags={"sort": {"-createdAt": "--newest-first"}},
)

AUDIT: Final = Noun(
    slug="audit",
    title="Audit log",
    one="entry",
    section=Section.DEVELOPERS,
    teaches="Who did what, when and why; nothing can be changed or taken out.",
    rows="listAuditLog",
    columns=(
        TOLD,
        wide("What", of="action"),
        ref("Of", of="resourceId"),
        WHO,
        wide("Why", of="reason"),
        text("From", of="address"),
    ),
    filters=(
        Filter(name="resourceId", label="Of (id)"),
        Filter(name="resourceType", label="Kind of thing"),
        BY,
        Filter(name="action", label="What"),
        SINCE,
        BEFORE,
    ),
    command="bursar audit query",
)

CHAIN: Final = Noun(
    slug="audit-chain",
    title="Chain check",
    one="check",
    section=Section.DEVELOPERS,
    teaches="Each entry of the audit log is chained to the one before; this walks the chain.",
    item="verifyAuditLog",
    headline=("object",),
    status="isIntact",
    facts=(
        flag("Intact", of="isIntact"),
        count("Checked up to", of="lastPosition"),
        count("Head", of="headPosition"),
        code("Last hash", of="lastHash"),
        words("At fault", of="offenders"),
    ),
    is_single=True,
    command="bursar audit verify",
)

API_KEYS: Final = Noun(
    slug="api-keys",
    title="API keys",
    one="API key",
    section=Section.DEVELOPERS,
    teaches="A key lets a program in, with no more rights than its scopes.",
    rows="listApiKeys",
    columns=(
        NAME,
        code("Begins with", of="keyPrefix"),
        words("May", of="scopes"),
        flag("Revoked", of="isRevoked"),
        instant("Last used", of="lastUsedAt"),
        instant("Expires", of="expiresAt"),
    ),
    item="getApiKey",
    id_name="apiKeyId",
    headline=("name",),
    facts=(
        code("Begins with", of="keyPrefix"),
        words("May", of="scopes"),
        words("Only from", of="allowedAddresses"),
        flag("Revoked", of="isRevoked"),
        instant("Revoked on", of="revokedAt"),
        ref("Replaced by", of="successorId"),
        instant("Last used", of="lastUsedAt"),
        instant("Expires", of="expiresAt"),
        ID,
        CREATED,
    ),
    deeds=(
        Deed(
            slug="rotate",
            label="Replace",
            route="rotateOneApiKey",
            words="The new key is shown once; the old one works for as long as you say.",
            needs_reason=True,
        ),
        Deed(
            slug="revoke",
            label="Revoke",
            route="revokeOneApiKey",
            words="It stops working at once, for good.",
            tone="danger",
            needs_reason=True,
        ),
    ),
    makes=(
        making(
            label="New key",
            route="issueApiKey",
            words="The key is shown once, after you press the button.",
        ),
    ),
    command="bursar apikey list",
)

EMAILS: Final = Noun(
    slug="emails",
    title="Mail",
    one="letter",
    section=Section.DEVELOPERS,
    teaches="Letters to your customers: invoices, receipts, reminders.",
    rows="listEmails",
    columns=(
        text("Letter", of="kind"),
        wide("To", of="recipient"),
        STATUS,
        INVOICE,
        text("Failure", of="failure"),
        CREATED,
    ),
    filters=(statuses(MailStatus), OF_INVOICE),
    command="bursar mail list",
    tells="bursar mail show",
)

ALL: Final = (WEBHOOKS, DELIVERIES, EVENTS, AUDIT, CHAIN, API_KEYS, EMAILS)
