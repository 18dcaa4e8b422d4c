"""Errors: every refusal has a status, every status one shape, and a bug says nothing."""

import json

import pytest
from litestar.exceptions import HTTPException

from bursar.api.errors import (
    CODES,
    DETAILS_MAX,
    HEADERS_TOO_LARGE,
    Protocol,
    answer_for,
    every_reason,
)
from bursar.api.framework import reworded
from bursar.api.trace import Trace
from bursar.domain.provider import CircuitOpen
from bursar.domain.refusals import (
    Detail,
    IdempotencyInProgress,
    IllegalTransition,
    InvalidInput,
    Kind,
    NotAuthenticated,
    PaymentDeclined,
    Refusal,
    TooManyRequests,
    reasons,
)
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.passwords import TooBusy

TRACE = Trace("5f0c2b1e-8a55-4c7e-9d43-0b6f1f6a7c21")


def said(error: BaseException) -> tuple[int, dict[str, object], dict[str, str]]:
    answer = answer_for(error, TRACE)
    return answer.status, json.loads(answer.body)["error"], dict(answer.headers)


def test_every_kind_has_a_status() -> None:
    # No refusal is without an answer, and none is a 500.
    assert set(CODES) == set(Kind)
    assert all(400 <= code.status < 600 and code.status != 500 for code in CODES.values())


@pytest.mark.parametrize("refusal", reasons().values(), ids=lambda refusal: refusal.reason)
def test_every_refusal_is_answered(refusal: type[Refusal]) -> None:
    # Each comes in the envelope, with its reason in the link and the request's id.
    status, error, _ = said(refusal("Because."))
    assert status == CODES[refusal.kind].status
    assert error["message"] == "Because."
    assert error["requestId"] == TRACE.request_id
    assert error["docUrl"] == f"/docs/errors#{refusal.reason}"
    assert refusal.reason in every_reason()


def test_facts_and_details() -> None:
    # Facts stand beside the code; details keep their order and are bounded.
    facts: dict[str, object] = {"currentStatus": "paid", "allowedTransitions": []}
    _, error, _ = said(IllegalTransition("No.", facts=facts))
    assert (error["currentStatus"], error["allowedTransitions"]) == ("paid", [])
    details = [Detail(f"f{number}", "wrong", "invalid") for number in range(200)]
    _, error, _ = said(InvalidInput("No.", details=details))
    shown = error["details"]
    assert isinstance(shown, list)
    assert len(shown) == DETAILS_MAX
    assert shown[0] == {"field": "f0", "message": "wrong", "code": "invalid"}
    _, error, _ = said(PaymentDeclined("No.", facts={"declineCode": "expired_card"}))
    assert error["declineCode"] == "expired_card"


def test_headers() -> None:
    # Who may come back is told when; who must sign in is told how.
    assert said(IdempotencyInProgress("x"))[2] == {"Retry-After": "1"}
    wait = TooManyRequests("x", facts={"retryAfterSeconds": 17})
    assert said(wait)[2] == {"Retry-After": "17"}
    assert said(NotAuthenticated("x"))[2] == {"WWW-Authenticate": "Bearer"}
    assert said(CircuitOpen(9))[2] == {"Retry-After": "9"}


@pytest.mark.parametrize("error", [DatabaseAway("10.0.0.7 refused"), TooBusy(), TimeoutError()])
def test_what_is_away_says_nothing(error: Exception) -> None:
    # Something of ours is away: 503, when to come back, and no word of what it was.
    status, body, headers = said(error)
    assert (status, body["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert headers == {"Retry-After": "1"}
    assert "10.0.0.7" not in str(body)


def test_bugs_say_nothing() -> None:
    # An accident is a 500 without its words, and is marked to be counted.
    trace = Trace(TRACE.request_id)
    answer = answer_for(RuntimeError("SELECT * FROM users"), trace)
    assert (answer.status, trace.is_broken) == (500, True)
    assert b"SELECT" not in answer.body
    quiet = Trace(TRACE.request_id)
    answer_for(InvalidInput("x"), quiet)
    assert not quiet.is_broken


def test_the_protocol() -> None:
    # What the protocol refuses comes in the same shape.
    status, error, _ = said(Protocol(HEADERS_TOO_LARGE, "Too much."))
    assert (status, error["code"]) == (431, "HEADERS_TOO_LARGE")
    status, error, _ = said(reworded(HTTPException(status_code=400, detail="internal words")))
    assert (status, "internal words" in str(error)) == (400, False)
