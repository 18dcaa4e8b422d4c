"""`bursar webhook`: where events are sent."""

from typing import Annotated

import msgspec
import typer

from bursar.cli.desk import (
    ROWS,
    Limit,
    Org,
    Output,
    Quiet,
    Reason,
    Yes,
    an_id,
    confirm,
    desk,
    gather,
)
from bursar.cli.output import say, show_list, show_one
from bursar.domain.ids import WebhookSubscriptionId
from bursar.domain.shapes.webhook_subscriptions import WebhookSubscriptionOut
from bursar.domain.webhook_subscriptions import WebhookSubscription
from bursar.operations.webhook_subscriptions import (
    SubscribeWebhook,
    UnsubscribeWebhook,
    subscribe_webhook,
    unsubscribe_webhook,
)
from bursar.reads.webhook_subscriptions import webhook_subscriptions
from bursar.runtime.app import Caller

group = typer.Typer(help="Webhook endpoints.", no_args_is_help=True)

_COLUMNS = ("id", "url", "eventTypes", "isActive", "createdAt")


@group.command("list")
def list_webhooks(
    context: typer.Context, *, org: Org = None, limit: Limit = ROWS, output: Output = None
) -> None:
    """List endpoints, newest first."""

    async def act(caller: Caller) -> tuple[WebhookSubscription, ...]:
        return await gather(lambda page: caller.look(webhook_subscriptions, page), limit)

    found = desk(context).ask(act, org=org)
    show_list([WebhookSubscriptionOut.of(each) for each in found], _COLUMNS, output)


@group.command("create")
def create(
    context: typer.Context,
    *,
    url: Annotated[str, typer.Option(help="Where to send events.")],
    event: Annotated[list[str] | None, typer.Option(help="An event type; everything.")] = None,
    description: Annotated[str | None, typer.Option()] = None,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Register an endpoint; its signing secret is shown this once."""
    command = SubscribeWebhook(url, tuple(event or ("*",)), description)
    made = desk(context).ask(
        lambda caller: caller.run(subscribe_webhook, command), org=org, reason=reason
    )
    shape = msgspec.to_builtins(WebhookSubscriptionOut.of(made.subscription))
    show_one({**shape, "secret": made.secret}, output)
    say("The secret is shown this once; keep it where secrets are kept.", is_quiet=quiet)


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
    known = WebhookSubscriptionId(an_id(webhook_id, prefix="wh", name="webhook_id"))
    confirm(f"Delete {webhook_id}?", is_agreed=yes)
    desk(context).ask(
        lambda caller: caller.run(unsubscribe_webhook, UnsubscribeWebhook(known)),
        org=org,
        reason=reason,
    )
    say(f"deleted {webhook_id}", is_quiet=quiet)
