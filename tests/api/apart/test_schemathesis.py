"""A stranger's generator against the document: nothing breaks, and every answer is as promised."""

import warnings
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.api.client import Client, Response
from tests.api.operations import DOCUMENT, OPERATIONS, Operation
from tests.api.people import member
from tests.support.world import World

from bursar.domain.access import Role

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
# Credentials are the askers' own: a case that is wrong is wrong in something that is sent.
SCHEMA.config.generation.update(with_security_parameters=False)
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Beside what the document lists: what the protocol refuses on any path.
OF_THE_PROTOCOL = {404, 405, 414, 431}
# Cases by the document, as many against it, and each is sent by two people.
EXAMPLES_QUICK = 5
EXAMPLES_PROOF = 12
EXAMPLES_DEEP = 30


def cases(operation: Operation, count: int) -> list[Any]:
    """Generated requests for an operation: some by the document, some against it."""
    found: list[Any] = []
    described = SCHEMA[operation.path][operation.method]
    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):

        @settings(
            max_examples=count,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=described.as_strategy(generation_mode=mode))
        def collect(case: Any) -> None:
            found.append(case)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with suppress(Unsatisfiable):  # nothing in it can be wrong
                collect()
    return found


async def send(client: Client, case: Any) -> Response:
    """The case as a request of this client."""
    path = case.path
    for name, value in (case.path_parameters or {}).items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    query = urlencode([(k, v) for k, v in (case.query or {}).items()], doseq=True)
    skipped = {"authorization", "x-org-id", "host"}
    headers = {
        name: str(value)
        for name, value in (case.headers or {}).items()
        if name.lower() not in skipped and str(value).isascii() and str(value).isprintable()
    }
    body = case.body if isinstance(case.body, dict | list | str | int | float | bool) else None
    url = f"{path}?{query}" if query else path
    return await client.ask(case.method, url, body, headers=headers)


def judge(case: Any, answer: Response) -> None:
    """The answer is documented and of the documented shape."""
    request: Any = SimpleNamespace(
        method=case.method, url="http://localhost:3000" + case.path, body=None, headers={}
    )
    response = schemathesis.Response(
        status_code=answer.status,
        headers={name: [text] for name, text in answer.headers.items()},
        content=answer.body,
        request=request,
        elapsed=0.0,
        verify=False,
    )
    if answer.status in OF_THE_PROTOCOL:
        assert answer.error["code"]
        return
    case.validate_response(response, checks=CHECKS)


async def an_owner_and_a_viewer(world: World, anyone: Client) -> list[Client]:
    org = await world.org()
    return [await member(world, org, role, anyone) for role in (Role.OWNER, Role.VIEWER)]


@pytest.fixture(scope="module")
async def onlookers(world: World, anyone: Client) -> list[Client]:
    """Whoever only looks changes nothing: the same two look at everything."""
    return await an_owner_and_a_viewer(world, anyone)


@pytest.fixture
async def askers(
    operation: Operation, onlookers: list[Client], world: World, anyone: Client
) -> list[Client]:
    """Two people, of an organization of their own where they may change it."""
    return onlookers if operation.method == "GET" else await an_owner_and_a_viewer(world, anyone)


async def torment(operation: Operation, askers: list[Client], count: int) -> int:
    sent = 0
    for case in cases(operation, count):
        for asker in askers:
            judge(case, await send(asker, case))
            sent += 1
    return sent


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_generated_requests(operation: Operation, askers: list[Client]) -> None:
    # A handful of generated requests to each operation break nothing and surprise nobody.
    assert await torment(operation, askers, EXAMPLES_QUICK) > 0


async def torment_at_length(operation: Operation, askers: list[Client], count: int) -> None:
    sent = await torment(operation, askers, count)
    print(f"{operation}: {sent} requests")
    assert sent > 0


@pytest.mark.proof
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_many_generated_requests(operation: Operation, askers: list[Client]) -> None:
    # Nor do forty-eight.
    await torment_at_length(operation, askers, EXAMPLES_PROOF)


@pytest.mark.deep
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_most_generated_requests(operation: Operation, askers: list[Client]) -> None:
    # Nor do a hundred and twenty.
    await torment_at_length(operation, askers, EXAMPLES_DEEP)
