"""A webhook endpoint asks for events that exist, is switched off once, and is deleted once."""

from datetime import timedelta

import pytest
from tests.domain.nouns import AT, LATER, the, told

from bursar.domain.event_names import EVENTS, PUBLIC_EVENTS
from bursar.domain.frozen import replace
from bursar.domain.refusals import IllegalTransition, InvalidInput
from bursar.domain.shapes.samples import WEBHOOK
from bursar.domain.webhook_subscriptions import (
    EndpointStatus,
    OffReason,
    WebhookSubscription,
    subscribe,
)
from bursar.domain.webhooks import FAST_DELAYS_SECONDS, RETRY_DELAYS_SECONDS


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


@pytest.mark.parametrize("delays", [(), (0,), (86_401,), (1,) * 11])
def test_retries_are_a_few_and_within_a_day_each(delays: tuple[int, ...]) -> None:
    # Whoever registers or changes the endpoint is told which field is wrong.
    for verb in (subscribe, WEBHOOK.edit):
        with pytest.raises(InvalidInput) as refused:
            verb(replace(WEBHOOK, retry_delays_seconds=delays))
        assert [detail.field for detail in refused.value.details] == ["retryDelaysSeconds"]


def test_a_policy_has_the_name_of_its_delays() -> None:
    # What is neither named policy is the endpoint's own.
    for delays, name in (
        (RETRY_DELAYS_SECONDS, "standard"),
        (FAST_DELAYS_SECONDS, "fast"),
        ((5, 5), "custom"),
    ):
        assert replace(WEBHOOK, retry_delays_seconds=delays).retry_policy == name


def test_switching_off_and_deleting_happen_once() -> None:
    # Deleting also switches off; doing either again changes nothing.
    off = WEBHOOK.switch_off(OffReason.GONE, AT)
    assert told(off) == ["webhook_subscription.switched_off"]
    after = the(WebhookSubscription, off)
    assert (after.status, after.off_reason, after.off_at) == (EndpointStatus.OFF, "gone", AT)
    assert after.switch_off(OffReason.FAILING, LATER) is None
    gone = the(WebhookSubscription, WEBHOOK.delete(AT))
    assert (gone.deleted_at, gone.is_active) == (AT, False)
    assert gone.delete(LATER) is None
    assert gone.switch_off(OffReason.GONE, LATER) is None


def test_pausing_and_resuming_happen_once() -> None:
    # Paused is not off: what happens waits. Resuming ends either.
    paused = the(WebhookSubscription, WEBHOOK.pause(AT))
    assert (paused.status, paused.is_active) == (EndpointStatus.PAUSED, True)
    assert paused.pause(LATER) is None
    assert the(WebhookSubscription, paused.resume()).status is EndpointStatus.ACTIVE
    assert WEBHOOK.resume() is None
    off = the(WebhookSubscription, WEBHOOK.switch_off(OffReason.FAILING, AT))
    back = the(WebhookSubscription, off.resume())
    assert (back.status, back.off_reason, back.off_at) == (EndpointStatus.ACTIVE, None, None)


@pytest.mark.parametrize("act", ["pause", "replay", "test"])
def test_nothing_is_wanted_of_an_endpoint_that_is_off(act: str) -> None:
    # It has to be resumed first.
    off = the(WebhookSubscription, WEBHOOK.switch_off(OffReason.GONE, AT))
    with pytest.raises(IllegalTransition):
        off.pause(LATER) if act == "pause" else getattr(off, act)()


def test_a_rotation_keeps_one_former_secret_for_a_day() -> None:
    # The second rotation ends the first secret at once: two live ones at most.
    first = the(WebhookSubscription, replace(WEBHOOK, secret_sealed=b"1").rotate(b"2", AT))
    assert (first.secret_sealed, first.former_secret_sealed) == (b"2", b"1")
    assert first.former_secret_until == AT + timedelta(hours=24)
    second = the(WebhookSubscription, first.rotate(b"3", LATER))
    assert (second.secret_sealed, second.former_secret_sealed) == (b"3", b"2")
    assert second.former_secret_until == LATER + timedelta(hours=24)


def test_an_edit_that_changes_nothing_tells_nothing() -> None:
    # And one that asks for nothing is refused as at the start.
    assert WEBHOOK.edit(WEBHOOK) is None
    assert told(WEBHOOK.edit(replace(WEBHOOK, url="https://b.example/")))
    with pytest.raises(InvalidInput):
        WEBHOOK.edit(replace(WEBHOOK, event_types=()))
