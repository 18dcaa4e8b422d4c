"""A tour of everything else that commits or asks: each errand dies at each of its points.

An errand is one request over HTTP (or one piece of the worker's own). After the crash the same
request is sent again under the same key, its tasks are run, and it is sent once more: it must have
been done once, and be answered the same.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Final

from msgspec import Struct
from tests.api.client import Client, Response
from tests.api.operations import OPERATIONS, Operation
from tests.api.people import Things, things_of
from tests.flows.crash_stage import Stage
from tests.support.crash import Fault, known_places
from tests.support.world import PASSWORD, Org

from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.jobs import demo_org, demo_year
from bursar.reads.verify import checks

_numbers = count(1)
TRIES_MAX: Final = 4
LIVES_MAX: Final = 60
_DEMO: Final = ("demo_org.", "demo_year.")
_DEMO_MONTHS: Final = 2
AUTH: Final = "/v1/auth"


class Request(Struct, frozen=True):
    """One request, and how to count what it did; `again` are other good answers to a repetition."""

    client: Client
    method: str
    path: str
    body: object = None
    counted: str | None = None
    subject: object = None
    again: tuple[int, ...] = ()
    is_documented: bool = False
    beside: Callable[[], Awaitable[object]] | None = None  # what a worker does of its own


Arrange = Callable[[Stage], Awaitable[Request]]


@dataclass
class Tour:
    """What the errands did and found."""

    told: int = 0
    crashes: int = 0
    hit: set[str] = field(default_factory=set)
    died_at: set[str] = field(default_factory=set)
    findings: list[tuple[str, list[str]]] = field(default_factory=list)

    def missed(self, files: tuple[str, ...]) -> set[str]:
        """The points of these files in the source that no errand passed."""
        known = {point for point in known_places().points if point.startswith(files)}
        assert known
        return known - self.hit


async def take_tour(stage: Stage, errands: Iterable[Arrange] = ()) -> Tour:
    """Every errand of ours, alive and dead, and these at the points nobody died at yet."""
    tour = Tour()
    await stage.renew()
    for arrange in ERRANDS:
        await run_errand(stage, tour, arrange)
    await _demo(stage, tour)
    for arrange in errands:
        await run_errand(stage, tour, arrange, is_whole=False)
    found = await stage.world.operator(stage.org.id).look(checks)
    wrong = [f"{each.name}: {each.offenders}" for each in found if not each.is_good]
    if wrong:
        tour.findings.append(("the tour", wrong))
    return tour


async def take_documented_tour(stage: Stage) -> Tour:
    """Every write of the documentation with its example, about things of its own organization."""
    tour = Tour()
    await stage.renew()
    for operation in OPERATIONS:
        if operation.method != "GET":
            await run_errand(stage, tour, partial(_documented, operation), is_whole=False)
    return tour


async def _documented(operation: Operation, stage: Stage) -> Request:
    org = await stage.world.org()
    # Full of things only where one is asked for: to make them is most of such an errand.
    things = await things_of(org) if operation.named else await _nothing_of(stage, org)
    path = operation.filled_path(things)
    client = stage.http.bearing(org.access_token, org.id)
    if operation.path.startswith(AUTH):
        client = stage.http.bearing(org.access_token)
    body = things.fill(operation.body)
    return Request(client, operation.method, path, body, is_documented=True)


async def _nothing_of(stage: Stage, org: Org) -> Things:
    """Whoever founded it is known, their letter is sent, and nothing is there."""
    await stage.world.verify(org.user_id)
    await stage.world.drain()
    return Things({})


async def run_errand(stage: Stage, tour: Tour, arrange: Arrange, *, is_whole: bool = True) -> None:
    """One errand alive, and dead at each point that it passed (and that nobody died at yet)."""
    passed = await _told(stage, tour, arrange, ())
    for fault in passed:
        if fault.nth == 1 and (is_whole or fault.point not in tour.died_at):
            tour.died_at.add(fault.point)
            await _told(stage, tour, arrange, (fault,))


async def happens_once(stage: Stage, tour: Tour, arrange: Arrange) -> None:
    """The errand, killed wherever it passes, is done once, and everything agrees afterwards."""
    await run_errand(stage, tour, arrange)
    assert tour.findings == []
    found = await stage.world.operator(stage.org.id).look(checks)
    assert [(each.name, each.offenders) for each in found if not each.is_good] == []


async def _told(
    stage: Stage, tour: Tour, arrange: Arrange, faults: tuple[Fault, ...]
) -> list[Fault]:
    """One errand that dies at these points."""
    request = await arrange(stage)
    stage.fuse.arm(*faults)
    wrong = await _done(stage, request)
    passed, blown = list(stage.fuse.passed), stage.fuse.blown
    stage.fuse.disarm()
    tour.told += 1
    tour.crashes += blown
    tour.hit |= {fault.point for fault in passed}
    if wrong:
        tour.findings.append((f"{request.method} {request.path} {faults}", wrong))
    return passed


async def _done(stage: Stage, request: Request) -> list[str]:
    key, answers = stage.new_key(), list[Response]()

    async def ask() -> None:
        answers.append(
            await request.client.ask(
                request.method, request.path, request.body, headers={"idempotency-key": key}
            )
        )

    for _ in range(TRIES_MAX):
        await stage.alive(ask)
        if answers:
            break
    wrong = await _work(stage, request)
    await stage.alive(ask)
    if len(answers) < 2:
        return [*wrong, "it was never answered"]
    return [*wrong, *_judged(request, answers), *await _counted(stage, request)]


def _judged(request: Request, answers: list[Response]) -> list[str]:
    first, last = answers[0], answers[-1]
    if request.is_documented:
        return _judged_documented(first, last, keeps_answers=not request.path.startswith(AUTH))
    if first.status >= 300 and first.status not in request.again:
        return [f"A1 it was answered {first.status} {first.body.decode()}"]
    if last.status in request.again:
        return []
    is_same = (first.status, first.body) == (last.status, last.body)
    if not request.path.startswith(AUTH) and not is_same:
        return [f"A2 it was answered {first.body.decode()}, then {last.body.decode()}"]
    if last.status >= 300 and last.status not in {first.status, *request.again}:
        return [f"A2 the repetition was answered {last.status} {last.body.decode()}"]
    return []


def _judged_documented(first: Response, last: Response, *, keeps_answers: bool) -> list[str]:
    """Whatever it is, it is no fault of ours, and what was done is told again word for word."""
    if 500 in {first.status, last.status}:
        return [f"X1 it was answered {first.body.decode()}, then {last.body.decode()}"]
    is_same = (first.status, first.body) == (last.status, last.body)
    if keeps_answers and first.status < 300 and not is_same:
        return [f"A2 it was answered {first.body.decode()}, then {last.body.decode()}"]
    return []


async def _counted(stage: Stage, request: Request) -> list[str]:
    if request.counted is None:
        return []
    done = await stage.owner.fetchval(request.counted, request.subject)
    return [] if done == 1 else [f"A2 it was done {done} times"]


async def _work(stage: Stage, request: Request) -> list[str]:
    """The tasks it left, until none is left, each of them twice; what went wrong."""
    wrong: list[str] = []

    async def once() -> bool:
        if request.beside is not None:
            await request.beside()
        jobs = await stage.claim(is_anyones=True)
        for job in jobs:
            try:
                await stage.run(job)
                await stage.run_unfenced(job)
            except Exception as failed:  # noqa: BLE001 - whatever a task raises is a finding
                wrong.append(f"J2 {job.task} raised {failed!r}")
        return bool(jobs)

    for _ in range(TRIES_MAX):
        crashes = stage.fuse.blown
        if not await stage.alive(once) and crashes == stage.fuse.blown:
            break
    return wrong


async def _demo(stage: Stage, tour: Tour) -> None:
    """The history of the demo organization, which looks at what is there after each crash."""
    app, folder = stage.world.app, stage.world.house.settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    known = stage.fuse.places.points
    stage.fuse.arm(*(Fault(each, 1) for each in known if each.startswith(_DEMO)))
    pace = demo_year.Pace(demo_org.bill_by_hand, _DEMO_MONTHS, stage.world.pass_time)
    lives = 0
    made: Any = None
    wrong = "it is never finished"
    try:
        while made is None and lives < LIVES_MAX:
            made = await stage.alive(lambda: demo_org._make(app, folder, pace))
            lives += 1
    except Exception as failed:  # noqa: BLE001 - whatever it raises is a finding
        wrong = f"it raised {failed!r}"
    tour.told += lives
    tour.crashes += stage.fuse.blown
    tour.hit |= {fault.point for fault in stage.fuse.passed}
    stage.fuse.disarm()
    if made is None:
        tour.findings.append(("the demo organization", [wrong]))
        return
    counted = await stage.owner.fetchrow(
        "SELECT (SELECT count(*) FROM customers WHERE org_id = $1) AS customers,"
        " (SELECT count(*) FROM invoices WHERE org_id = $1) AS invoices",
        uuid_of(made.org_id),
    )
    assert counted is not None
    if (counted["customers"], counted["invoices"]) != (made.customers, made.invoices):
        tour.findings.append(("the demo organization", [f"it has {dict(counted)}"]))


# --- the errands ---


async def _register(stage: Stage) -> Request:
    email = f"tour{next(_numbers)}@example.com"
    body = {"email": email, "password": PASSWORD, "name": "To Ur", "organizationName": "Tour"}
    count = "SELECT count(*) FROM directory.users WHERE email = $1"
    return Request(stage.http, "POST", f"{AUTH}/register", body, count, email, again=(409,))


async def _signed_up(stage: Stage) -> tuple[str, str]:
    request = await _register(stage)
    response = await stage.http.post(request.path, request.body)
    assert response.status == 201, response.body
    return str(request.subject), response.value["refreshToken"]


async def _log_in(stage: Stage) -> Request:
    email, _ = await _signed_up(stage)
    return Request(stage.http, "POST", f"{AUTH}/login", {"email": email, "password": PASSWORD})


async def _refresh(stage: Stage) -> Request:
    _, token = await _signed_up(stage)
    # A token works once: whoever lost the answer signs in again.
    return Request(stage.http, "POST", f"{AUTH}/refresh", {"refreshToken": token}, again=(401,))


async def _log_out(stage: Stage) -> Request:
    _, token = await _signed_up(stage)
    return Request(stage.http, "POST", f"{AUTH}/logout", {"refreshToken": token})


async def _found_organization(stage: Stage) -> Request:
    name = f"Tour {next(_numbers)}"
    count = "SELECT count(*) FROM organizations WHERE name = $1"
    person = stage.http.bearing(stage.org.access_token)
    return Request(person, "POST", "/v1/organizations", {"name": name}, count, name)


async def _change_organization(stage: Stage) -> Request:
    body = {"netTermsDays": next(_numbers) % 60}
    return Request(stage.client, "PATCH", f"/v1/organizations/{stage.org.id}", body)


async def _issue_key(stage: Stage) -> Request:
    name = f"Tour {next(_numbers)}"
    count = "SELECT count(*) FROM api_keys WHERE name = $1"
    body = {"name": name, "scopes": ["billing:read"]}
    return Request(stage.client, "POST", "/v1/api-keys", body, count, name)


async def _revoke_key(stage: Stage) -> Request:
    issue = await _issue_key(stage)
    made = await stage.client.post(issue.path, issue.body)
    return Request(stage.client, "POST", f"/v1/api-keys/{made.value['id']}/revoke")


async def create_customer(stage: Stage) -> Request:
    email = f"tour{next(_numbers)}@example.com"
    count = "SELECT count(*) FROM customers WHERE email = $1"
    body = {"email": email, "name": "Tour"}
    return Request(stage.client, "POST", "/v1/customers", body, count, email)


async def _customer(stage: Stage) -> str:
    create = await create_customer(stage)
    made = await stage.client.post(create.path, create.body)
    assert made.status == 201, made.body
    return str(made.value["id"])


async def _change_customer(stage: Stage) -> Request:
    customer = await _customer(stage)
    body = {"name": f"Tour {next(_numbers)}"}
    return Request(stage.client, "PATCH", f"/v1/customers/{customer}", body)


async def delete_customer(stage: Stage) -> Request:
    customer = await _customer(stage)
    return Request(stage.client, "DELETE", f"/v1/customers/{customer}")


async def _erase_customer(stage: Stage) -> Request:
    customer = await _customer(stage)
    count = "SELECT count(*) FROM customers WHERE id = $1 AND erased_at IS NOT NULL"
    path, body = f"/v1/customers/{customer}/erase", {"reason": "tour"}
    return Request(stage.client, "POST", path, body, count, uuid_of(customer))


async def _attach(stage: Stage) -> Request:
    body = {"customerId": await _customer(stage), "providerToken": "pm_card_visa"}
    return Request(stage.client, "POST", "/v1/payment-methods", body)


async def _draft(stage: Stage) -> Request:
    memo = f"Tour {next(_numbers)}"
    count = "SELECT count(*) FROM invoices WHERE memo = $1"
    lines = [{"description": "Work", "unitAmountCents": 1200}]
    body = {"customerId": await _customer(stage), "lines": lines, "memo": memo}
    return Request(stage.client, "POST", "/v1/invoices", body, count, memo)


async def _long_draft(stage: Stage) -> Request:
    """One with so many lines that it shares its commit with nobody."""
    draft = await _draft(stage)
    assert isinstance(draft.body, dict)
    return replace(draft, body={**draft.body, "lines": draft.body["lines"] * 21})


async def _invoice(stage: Stage) -> str:
    draft = await _draft(stage)
    made = await stage.client.post(draft.path, draft.body)
    assert made.status == 201, made.body
    return f"/v1/invoices/{made.value['id']}"


async def _change_draft(stage: Stage) -> Request:
    return Request(stage.client, "PATCH", await _invoice(stage), {"memo": f"{next(_numbers)}"})


async def _delete_draft(stage: Stage) -> Request:
    return Request(stage.client, "DELETE", await _invoice(stage))


async def _finalize(stage: Stage) -> Request:
    return Request(stage.client, "POST", f"{await _invoice(stage)}/finalize")


async def _finalize_nothing(stage: Stage) -> Request:
    """One over nothing, which is paid by finalizing it and shares its commit with nobody."""
    draft = await _draft(stage)
    assert isinstance(draft.body, dict)
    lines = [{"description": "Work", "unitAmountCents": 0}]
    made = await stage.client.post(draft.path, {**draft.body, "lines": lines})
    assert made.status == 201, made.body
    return Request(stage.client, "POST", f"/v1/invoices/{made.value['id']}/finalize")


async def _void(stage: Stage) -> Request:
    path = await _invoice(stage)
    await stage.client.post(f"{path}/finalize")
    return Request(stage.client, "POST", f"{path}/void")


async def _cancel(stage: Stage) -> Request:
    void = await _void(stage)
    return replace(void, path=void.path.replace("/void", "/cancel"))


async def _subscribe(stage: Stage) -> Request:
    url = f"http://127.0.0.1:9999/{next(_numbers)}"
    count = "SELECT count(*) FROM webhook_subscriptions WHERE url = $1"
    body = {"url": url, "eventTypes": ["*"]}
    return Request(stage.client, "POST", "/v1/webhook-subscriptions", body, count, url)


async def _unsubscribe(stage: Stage) -> Request:
    subscribe = await _subscribe(stage)
    made = await stage.client.post(subscribe.path, subscribe.body)
    assert made.status == 201, made.body
    return Request(stage.client, "DELETE", f"/v1/webhook-subscriptions/{made.value['id']}")


ERRANDS: Final[tuple[Arrange, ...]] = (
    *(_register, _log_in, _refresh, _log_out),
    *(_found_organization, _change_organization, _issue_key, _revoke_key),
    *(create_customer, _change_customer, delete_customer, _erase_customer, _attach),
    *(_draft, _long_draft, _change_draft, _delete_draft),
    *(_finalize, _finalize_nothing, _void, _cancel),
    *(_subscribe, _unsubscribe),
)
