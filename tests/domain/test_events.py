"""The list of facts is whole: each has a name, a sentence and a change that tells it."""

import re

import pytest

from bursar.domain.change import Change
from bursar.domain.event_names import EVENTS, PUBLIC_EVENTS
from bursar.domain.events import Event, InvoicePaid
from bursar.domain.shapes.render import resource_type
from bursar.domain.shapes.samples import CUSTOMER, DRAFT, SAMPLES, story

WIRE_NAME = re.compile(r"[a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*")
# What is published cannot be taken back: a name leaves this list by a decision, never by accident.
PUBLISHED = {
    "customer.created",
    "customer.deleted",
    "customer.erased",
    "customer.updated",
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice.updated",
    "invoice.voided",
    "payment.attempted",
    "payment.failed",
    "payment.processing",
    "payment.requires_action",
    "payment.succeeded",
    "transaction.completed",
    "transaction.credited",
    "transaction.debited",
    "transaction.failed",
    "transaction.initiated",
    "transaction.refunding",
}


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_event_says_what_it_is_and_when(name: str) -> None:
    # A wire name of two words, and a whole sentence for the reference.
    event = EVENTS[name]
    assert event.name == name
    assert WIRE_NAME.fullmatch(name)
    assert event.when[0].isupper()
    assert event.when.endswith(".")
    assert event.payload_version >= 1


def test_no_two_events_share_a_name() -> None:
    # Every class is registered under its own.
    assert set(EVENTS.values()) == set(Event.__subclasses__())


def test_what_is_published_is_delivered() -> None:
    # And what concerns nobody outside never is.
    assert set(PUBLIC_EVENTS) >= PUBLISHED
    internal = ("api_key.", "member.", "organization.", "webhook_subscription.")
    assert not [name for name in PUBLIC_EVENTS if name.startswith(internal)]


def test_every_event_is_told_by_some_rule() -> None:
    # Of each the rules give a sample, whose subject is the noun in its name.
    assert set(SAMPLES) == set(EVENTS)
    for name, event in SAMPLES.items():
        assert resource_type(event.subject) == name.partition(".")[0]


def test_a_fact_about_something_new_has_no_before() -> None:
    # Creation and attempt begin a resource; everything else changes one.
    for change in story():
        for event in change.events:
            assert (event.before is None) == (event.subject.version == 1)
            assert event.before is None or event.before.id == event.subject.id


def test_a_change_of_a_row_tells_it() -> None:
    # A row that nobody hears of would be missing from the audit trail.
    with pytest.raises(AssertionError, match="tells no event"):
        Change(rows=(CUSTOMER,))
    with pytest.raises(AssertionError, match="tells no event"):
        Change(rows=(CUSTOMER,), events=(InvoicePaid(DRAFT),))
    assert Change().rows == ()
