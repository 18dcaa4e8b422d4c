"""Everything Bursar says no with has a kind, a stable word and a sentence."""

import re

import pytest

from bursar.domain.refusals import (
    Detail,
    IllegalTransition,
    InvalidInput,
    Kind,
    NotFound,
    Refusal,
    reasons,
)

REASON = re.compile(r"[a-z]+(?:_[a-z]+)*")


@pytest.mark.parametrize("reason", sorted(reasons()))
def test_every_refusal_is_explained(reason: str) -> None:
    # A kind for the edges, a word for programs, a sentence for people.
    refusal = reasons()[reason]
    assert refusal.kind in Kind
    assert REASON.fullmatch(reason)
    assert refusal.__doc__ is not None
    assert refusal.__doc__.lstrip("`")[0].isupper()
    assert refusal.__doc__.endswith(".")


def test_every_refusal_is_registered() -> None:
    # Its reason belongs to it alone, and none hides below another class.
    assert set(reasons().values()) == set(Refusal.__subclasses__())
    assert not [one for one in reasons().values() if one.__subclasses__()]


def test_a_field_at_fault_is_named_as_the_caller_spelled_it() -> None:
    # In the details for programs and in the message for people.
    refused = InvalidInput.at("lines[0].quantity", "must be above zero", "too_small")
    assert refused.details == (Detail("lines[0].quantity", "must be above zero", "too_small"),)
    assert refused.message == str(refused) == "lines[0].quantity: must be above zero"


def test_facts_and_details_are_empty_unless_given() -> None:
    # Nothing is shared between two refusals.
    first, second = NotFound("No invoice."), IllegalTransition("No.", facts={"currentStatus": "x"})
    assert (first.details, first.facts) == ((), {})
    assert second.facts == {"currentStatus": "x"}
    first.facts["x"] = 1
    assert NotFound("No payment.").facts == {}
