"""A webhook endpoint asks for events that exist, is switched off once, and is deleted once."""

from dataclasses import replace

import pytest
from tests.domain.nouns import AT, LATER, the, told

from bursar.domain.events import EVENTS, PUBLIC_EVENTS
from bursar.domain.refusals import InvalidInput
from bursar.domain.shapes.samples import WEBHOOK
from bursar.domain.webhook_subscriptions import WebhookSubscription, subscribe


@pytest.mark.parametrize("event_type", [*PUBLIC_EVENTS, "*"])
def test_every_delivered_event_and_all_of_them_can_be_asked_for(event_type: str) -> None:
    # Each by itself, and all at once.
    change = subscribe(replace(WEBHOOK, event_types=(event_type,)))
    assert told(change) == ["webhook_subscription.created"]


@pytest.mark.parametrize(
    "event_type",
    [*sorted(EVENTS.keys() - set(PUBLIC_EVENTS)), "invoice.*", "invoice.unheard_of", ""],
)
def test_what_is_never_delivered_cannot_be_asked_for(event_type: str) -> None:
    # Internal facts, patterns and inventions are refused by name.
    with pytest.raises(InvalidInput) as refused:
        subscribe(replace(WEBHOOK, event_types=("invoice.paid", event_type)))
    assert [detail.field for detail in refused.value.details] == ["eventTypes"]


def test_an_endpoint_asks_for_something() -> None:
    # An empty list is a mistake, not a wish for silence.
    with pytest.raises(InvalidInput):
        subscribe(replace(WEBHOOK, event_types=()))


def test_switching_off_and_deleting_happen_once() -> None:
    # Deleting also switches off; doing either again changes nothing.
    off = WEBHOOK.switch_off()
    assert told(off) == ["webhook_subscription.updated"]
    assert not the(WebhookSubscription, off).is_active
    assert the(WebhookSubscription, off).switch_off() is None
    gone = the(WebhookSubscription, WEBHOOK.delete(AT))
    assert (gone.deleted_at, gone.is_active) == (AT, False)
    assert gone.delete(LATER) is None
    assert gone.switch_off() is None
