"""What the stranger's generator is told, and no more than a JSON Schema cannot say.

Four judgments are our own. Valid data may be refused by the state of things (402, 409, 412, 422),
or with 400 when each fault named is one that no schema states: a sum of fields, a zone's name, a
card number, a whole number written as 1.0. A batch refuses what is invalid by its place in it, and
is 200 as a whole. A provider that is away (502, 503) is no server error. An answer that was given
before, for an idempotency key, promises nothing of today: what it made may have been deleted since.
All other checks are the generator's, as they are.
"""

import json
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, Response
from schemathesis.specs.openapi.checks import (
    ensure_resource_availability,
    negative_data_rejection,
)

# Faults that the document describes: data made by it must never run into one of them.
DESCRIBED = {
    "control_character",
    "malformed_json",
    "malformed_query",
    "not_an_object",
    "out_of_range",
    "too_deep",
    "unknown_field",
    "unknown_parameter",
    "wrong_format",
    "wrong_length",
    "wrong_type",
}
BY_STATE = {401, 402, 403, 404, 409, 412, 422, 429, 502, 503}
AWAY = {502, 503}
TOO_MUCH = {413, 431}  # a larger body, or more headers, than anyone sends
_REPLAYED = "idempotent-replayed"
BATCHES = {"/v1/transactions/batch", "/v1/usage/batch"}


@schemathesis.check
def what_is_valid_is_understood(_ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """What the document allows is done, or refused for a reason the document cannot state."""
    if not case.meta or not case.meta.generation.mode.is_positive:
        return
    if response.status_code < 400 or response.status_code in BY_STATE:
        return
    if response.status_code in TOO_MUCH:
        return
    assert response.status_code == 400, f"{response.status_code} for valid data"
    error: Any = json.loads(response.content or b"{}").get("error", {})
    details = error.get("details", [])
    told = [each for each in details if each["code"] in DESCRIBED or _is_missing(each)]
    assert details, "a 400 names what is at fault"
    assert not told, f"the document allows what is refused: {told}"


def _is_missing(detail: dict[str, str]) -> bool:
    return detail["code"] == "required" and detail["message"] == "is required"


@schemathesis.check
def what_is_invalid_is_refused(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """What the document forbids is refused: a batch says so of the one item."""
    if case.path in BATCHES and response.status_code == 200 and _names_a_fault(response):
        return
    if response.status_code in TOO_MUCH:
        return
    negative_data_rejection(ctx, response, case)


def _names_a_fault(response: Response) -> bool:
    told: Any = json.loads(response.content)["data"]
    return bool(told.get("refused") or told.get("rejected"))


@schemathesis.check
def what_was_made_is_there(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """What was made just now is found by its id, unless somebody deleted it."""
    parent = ctx.internals.find_parent(case_id=case.id)
    made = None if parent is None else ctx.internals.find_response(case_id=parent.id)
    if made is not None and _REPLAYED not in made.headers:
        ensure_resource_availability(ctx, response, case)


@schemathesis.check
def nothing_breaks(_ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """No answer is a server error, but for a provider that is away."""
    status = response.status_code
    assert status < 500 or status in AWAY, f"{status} from {case.method} {case.path}"
