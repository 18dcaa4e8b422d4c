"""`bursar webhook`: where events are sent."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from bursar.cli.desk import ROWS, Limit, Org, Reason, Yes, an_id, confirm, desk
from bursar.cli.listening import Forwarding, forward
from bursar.cli.narrowing import OldestFirst
from bursar.cli.output import Output, Quiet, say, show_list, show_one
from bursar.domain.event_names import PUBLIC_EVENTS
from bursar.domain.ids import DeliveryId, EventId, WebhookSubscriptionId
from bursar.domain.refusals import InvalidInput
from bursar.domain.shapes.webhook_subscriptions import (
    DeliveryOut,
    EndpointHealthOut,
    ReplayOut,
    WebhookSubscriptionOut,
)
from bursar.domain.webhook_subscriptions import (
    DeliveryStatus,
    ReplayScope,
)
from bursar.domain.webhooks import NamedPolicy
from bursar.operations.deliveries import RetryDelivery, retry_delivery
from bursar.operations.webhook_subscriptions import (
    NamedWebhook,
    ReplayEvents,
    SubscribeWebhook,
    TryWebhook,
    UnsubscribeWebhook,
    UpdateWebhook,
    pause_webhook,
    replay_events,
    resume_webhook,
    rotate_webhook_secret,
    subscribe_webhook,
    try_webhook,
    unsubscribe_webhook,
    update_webhook,
)
from bursar.reads.webhook_subscriptions import (
    DeliveryFilters,
    deliveries,
    endpoint_health,
    webhook_subscriptions,
)

group = typer.Typer(help="Webhook endpoints.", no_args_is_help=True)

BodySignature = Annotated[
    bool | None,
    typer.Option(
        "--body-signature/--no-body-signature",
        help="Send X-Webhook-Signature too, which covers no time and so can be sent again.",
    ),
]

_COLUMNS = ("id", "url", "eventTypes", "status", "createdAt")
_DELIVERY_COLUMNS = ("id", "eventType", "eventId", "status", "attemptCount", "lastResponseStatus")


@group.command("list")
def list_webhooks(
    context: typer.Context,
    *,
    org: Org = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List endpoints, newest first."""
    found = desk(context).gather(
        lambda caller, page: caller.look(webhook_subscriptions, page),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([WebhookSubscriptionOut.of(each) for each in found], _COLUMNS, output)


@group.command("create")
def create(
    context: typer.Context,
    *,
    url: Annotated[str, typer.Option(help="Where to send events.")],
    event: Annotated[list[str] | None, typer.Option(help="An event type; everything.")] = None,
    description: Annotated[str | None, typer.Option()] = None,
    retry: Annotated[NamedPolicy, typer.Option(help="How soon to try again.")] = (
        NamedPolicy.STANDARD
    ),
    body_signature: BodySignature = None,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Register an endpoint; its signing secret is shown this once."""
    types = tuple(event or ("*",))
    is_twice = body_signature is not False
    command = SubscribeWebhook(url, types, description, retry.delays_seconds, is_twice)
    made = desk(context).ask(
        lambda caller: caller.run(subscribe_webhook, command), org=org, reason=reason
    )
    shape = msgspec.to_builtins(WebhookSubscriptionOut.of(made.subscription))
    show_one({**shape, "secret": made.secret}, output)
    say("The secret is shown this once; keep it where secrets are kept.", is_quiet=quiet)


@group.command("update")
def update(
    context: typer.Context,
    webhook_id: str,
    *,
    url: Annotated[str | None, typer.Option(help="Where to send events from now on.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="These event types instead.")] = None,
    body_signature: BodySignature = None,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Change where events go, which ones, and how they are signed; the rest stays."""
    wanted = {
        "url": url,
        "event_types": tuple(event) if event else None,
        "has_body_signature": body_signature,
    }
    changes = {name: value for name, value in wanted.items() if value is not None}
    command = UpdateWebhook(_webhook(webhook_id), changes)
    after = desk(context).ask(
        lambda caller: caller.run(update_webhook, command), org=org, reason=reason
    )
    show_one(msgspec.to_builtins(WebhookSubscriptionOut.of(after)), output)


@group.command("rotate")
def rotate(
    context: typer.Context,
    webhook_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Give an endpoint a new signing secret; the former one signs beside it for a day."""
    command = NamedWebhook(_webhook(webhook_id))
    made = desk(context).ask(
        lambda caller: caller.run(rotate_webhook_secret, command), org=org, reason=reason
    )
    shape = msgspec.to_builtins(WebhookSubscriptionOut.of(made.subscription))
    show_one({**shape, "secret": made.secret}, output)
    say("The secret is shown this once; keep it where secrets are kept.", is_quiet=quiet)


@group.command("pause")
def pause(
    context: typer.Context,
    webhook_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Send nothing until it is resumed; what happens meanwhile waits."""
    command = NamedWebhook(_webhook(webhook_id))
    after = desk(context).ask(
        lambda caller: caller.run(pause_webhook, command), org=org, reason=reason
    )
    show_one(msgspec.to_builtins(WebhookSubscriptionOut.of(after)), output)


@group.command("resume")
def resume(
    context: typer.Context,
    webhook_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Send to an endpoint again; one that was switched off gets what it missed."""
    command = NamedWebhook(_webhook(webhook_id))
    after = desk(context).ask(
        lambda caller: caller.run(resume_webhook, command), org=org, reason=reason
    )
    show_one(msgspec.to_builtins(WebhookSubscriptionOut.of(after)), output)


@group.command("health")
def health(
    context: typer.Context, webhook_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show how an endpoint is doing, and how much waits for it."""
    known = _webhook(webhook_id)
    found = desk(context).ask(lambda caller: caller.look(endpoint_health, known), org=org)
    show_one(msgspec.to_builtins(EndpointHealthOut.of(found)), output)


@group.command("test")
def try_out(
    context: typer.Context,
    webhook_id: str,
    *,
    event: Annotated[str | None, typer.Option(help="The sample of this type.")] = None,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Send a signed test event to an endpoint; `webhook deliveries` tells what came back."""
    if event is not None and event not in PUBLIC_EVENTS:
        raise InvalidInput.at("event", "is no type of event", "unknown_value")
    command = TryWebhook(_webhook(webhook_id), event)
    made = desk(context).ask(
        lambda caller: caller.run(try_webhook, command), org=org, reason=reason
    )
    show_one(msgspec.to_builtins(DeliveryOut.of(made)), output)


@group.command("deliveries")
def list_deliveries(
    context: typer.Context,
    webhook_id: str,
    *,
    status: Annotated[list[DeliveryStatus] | None, typer.Option(help="Only these.")] = None,
    org: Org = None,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List what went or goes to an endpoint, newest first."""
    known, filters = _webhook(webhook_id), DeliveryFilters(statuses=tuple(status or ()))
    found = desk(context).gather(
        lambda caller, page: caller.look(deliveries, known, page, filters), limit, org=org
    )
    show_list([DeliveryOut.of(each) for each in found], _DELIVERY_COLUMNS, output)


@group.command("retry")
def retry(
    context: typer.Context,
    delivery_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Try one delivery now, whatever became of it."""
    known = DeliveryId(an_id(delivery_id, prefix="whd", name="delivery_id"))
    made = desk(context).ask(
        lambda caller: caller.run(retry_delivery, RetryDelivery(known)), org=org, reason=reason
    )
    show_one(msgspec.to_builtins(DeliveryOut.of(made)), output)


@group.command("replay")
def replay(
    context: typer.Context,
    webhook_id: str,
    *,
    since: Annotated[datetime, typer.Option(help="From this instant on (UTC).")],
    until: Annotated[datetime | None, typer.Option(help="Before this one; now.")] = None,
    scope: Annotated[ReplayScope, typer.Option(help="What of it.")] = ReplayScope.FAILED,
    per_second: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Send the events of some time to an endpoint again."""
    command = ReplayEvents(
        subscription_id=_webhook(webhook_id),
        from_at=since.replace(tzinfo=UTC),
        before_at=None if until is None else until.replace(tzinfo=UTC),
        scope=scope,
        event_types=(),
        per_second=per_second,
    )
    done = desk(context).ask(
        lambda caller: caller.run(replay_events, command), org=org, reason=reason
    )
    show_one(msgspec.to_builtins(ReplayOut.of(done)), output)


@group.command("delete")
def delete(
    context: typer.Context,
    webhook_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    quiet: Quiet = False,
) -> None:
    """Remove an endpoint; what waits for it is given up."""
    known = _webhook(webhook_id)
    confirm(f"Delete {webhook_id}?", is_agreed=yes)
    desk(context).ask(
        lambda caller: caller.run(unsubscribe_webhook, UnsubscribeWebhook(known)),
        org=org,
        reason=reason,
    )
    say(f"deleted {webhook_id}", is_quiet=quiet)


@group.command("listen")
def listen(
    context: typer.Context,
    *,
    forward_to: Annotated[str, typer.Option(help="Where to send each event.")],
    event: Annotated[list[str] | None, typer.Option(help="Only these types.")] = None,
    after: Annotated[str | None, typer.Option(help="Go on after this event (evt_…).")] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long.")] = None,
    org: Org = None,
    quiet: Quiet = False,
) -> None:
    """Follow the event feed and forward it, signed; at the end it says where to go on."""
    wish = Forwarding(
        url=forward_to,
        event_types=tuple(event or ()),
        after=None if after is None else EventId(an_id(after, prefix="evt", name="after")),
        seconds=seconds,
        is_quiet=quiet,
    )
    desk(context).ask(lambda caller: forward(caller, wish), org=org)


def _webhook(text: str) -> WebhookSubscriptionId:
    return WebhookSubscriptionId(an_id(text, prefix="wh", name="webhook_id"))
