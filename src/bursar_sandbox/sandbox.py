"""The sandbox as one object: a request in, a response out, and deliveries to be sent.

Synchronous and deterministic: the same seed, clock and requests give the same bytes. One request is
one transaction of the books. Whoever owns the object carries out delays, drops and deliveries.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bursar_sandbox import control, routes
from bursar_sandbox.clock import Clock, wall_clock
from bursar_sandbox.core import expand, faults, keys, outbox
from bursar_sandbox.core.books import Books, Journal
from bursar_sandbox.core.ids import Ids
from bursar_sandbox.core.outbox import Delivery, Endpoint
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import Refusal, invalid, unauthorized
from bursar_sandbox.core.wire import Form, Request, Response, dropped, json_response, parse_body
from bursar_sandbox.core.work import API_VERSION, DUE, Work
from bursar_sandbox.pages import site
from bursar_sandbox.resources import events, webhook_endpoints

COUNT = "_count"
HTTP_OK = 200
CATCH_UP_MAX = 10_000
VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[a-z]+)?\Z")


class SandboxSettings(Struct, frozen=True):
    """What a sandbox is told at birth."""

    secret_key: str = "sk_test_sandbox"  # noqa: S105 - a well-known test key, not a secret
    public_url: str = "http://127.0.0.1:12111"
    seed: str = "sandbox"
    endpoints: tuple[Endpoint, ...] = ()


class Sandbox:
    """A card processor without sockets."""

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        clock: Clock = wall_clock,
        journal: Journal | None = None,
    ) -> None:
        self.settings = settings or SandboxSettings()
        self._clock = clock
        self.books = Books(journal)
        count = self.books.get(COUNT, COUNT)
        self.ids = Ids(self.settings.seed, count["value"] if count else 0)
        for endpoint in self.settings.endpoints:
            webhook_endpoints.place(self._work(), endpoint)
        self._commit()

    @property
    def now_ms(self) -> int:
        """The sandbox's own time: the clock it was given, moved by `/_sandbox/clock`."""
        return self._clock() + control.offset_ms(self.books)

    def handle(self, request: Request) -> Response:
        """Answer one request. Nothing a caller sends raises."""
        self._catch_up()
        work = self._work()
        work.request_id = self.ids.next("req_", 14)
        try:
            response = self._guarded(lambda: self._dispatch(work, request))
        except BaseException:
            self.books.rollback()
            raise
        self._commit()
        return response.with_headers({"Request-Id": work.request_id})

    def take_deliveries(self) -> list[Delivery]:
        """The webhooks that are due, signed and counted as delivered; at most 1,000 at a time."""
        deliveries = self.due_deliveries()
        for delivery in deliveries:
            self.settle_delivery(delivery.delivery_id, is_delivered=True)
        return deliveries

    def due_deliveries(self) -> list[Delivery]:
        """The webhooks that are due, signed; each stays due until `settle_delivery`."""
        self._catch_up()
        return outbox.due(self.books, self.now_ms)

    def settle_delivery(self, delivery_id: str, *, is_delivered: bool) -> None:
        """Note how sending went; a failed delivery is due again later."""
        outbox.settle(self.books, delivery_id, is_delivered=is_delivered, now_ms=self.now_ms)
        self._commit()

    def close(self) -> None:
        self.books.close()

    def _work(self, now_ms: int | None = None) -> Work:
        moment = self.now_ms if now_ms is None else now_ms
        return Work(self.books, self.ids, moment, self.settings.public_url)

    def _dispatch(self, work: Work, request: Request) -> Response:
        if request.route.startswith("/v1/"):
            return self._published(work, request)
        if request.route.startswith("/_sandbox/"):
            return self._controlled(work, request)
        plan = self._plan(work, request)
        return self._spoiled(plan, lambda: site.answer(work, request))

    def _controlled(self, work: Work, request: Request) -> Response:
        if request.route != control.HEALTH:
            self._authenticate(request)
        found = control.ROUTES.find(request.method, request.route)
        if found is None:
            raise _no_route(request)
        act, references = found
        params = Params(control.read(request))
        row = act(work, params, *references)
        params.done()
        self._commit()
        self._catch_up()
        return json_response(HTTP_OK, row)

    def _published(self, work: Work, request: Request) -> Response:
        self._authenticate(request)
        version = request.header("Stripe-Version") or API_VERSION
        if not VERSION.match(version):
            raise invalid(f"Invalid Stripe API version: {version[:40]}")
        work.idempotency_key = keys.read(request) or None
        plan = self._plan(work, request)
        response = self._spoiled(plan, lambda: self._keyed(work, request, plan))
        return response.with_headers({"Stripe-Version": version})

    def _plan(self, work: Work, request: Request) -> faults.Plan:
        plan = faults.plan(work, request)
        self._commit()  # a rule has spent its time even when the request is refused
        return plan

    def _spoiled(self, plan: faults.Plan, answer: Callable[[], Response]) -> Response:
        """The answer as the planned faults let it through."""
        if plan.drops_before:
            return replace(dropped(), delay_ms=plan.delay_ms)
        before = plan.refusal_before()
        response = _told(before) if before else self._guarded(answer)
        if plan.error_after and not before:
            response = _told(faults.server_error(plan.error_after))
        return replace(response, delay_ms=plan.delay_ms, is_dropped=plan.drops_after)

    def _guarded(self, answer: Callable[[], Response]) -> Response:
        try:
            return answer()
        except Refusal as refusal:
            if not refusal.keeps_effects:
                self.books.rollback()
            return _told(refusal)

    def _keyed(self, work: Work, request: Request, plan: faults.Plan) -> Response:
        """The answer under the request's idempotency key: the kept one, or a new one to keep."""
        form = parse_body(request)
        keys.forget_old(work)
        events.forget_old(work)
        key = work.idempotency_key
        kept = keys.replay(work, key, request, form) if key else None
        if kept is not None:
            return kept
        response, is_replayable = self._run(work, request, form)
        if key and is_replayable:
            is_lost = plan.error_after == faults.KEPT_STATUS
            seen = _told(faults.server_error(plan.error_after)) if is_lost else response
            keys.keep(work, key, request, form, seen)
        return self._swapped(work, response) if plan.swaps else response

    def _run(self, work: Work, request: Request, form: Form) -> tuple[Response, bool]:
        """The answer, and whether a retry under the same key must see it again."""
        found = routes.PUBLISHED.find(request.method, request.route)
        if found is None:
            raise _no_route(request)
        act, references = found
        params = Params(form)
        try:
            paths = params.texts("expand")
            row = act(work, params, *references)
            params.done()
            return json_response(HTTP_OK, expand.render(work, row, paths)), True
        except Refusal as refusal:
            if not refusal.keeps_effects:
                self.books.rollback()
            return _told(refusal), refusal.is_replayable

    def _swapped(self, work: Work, response: Response) -> Response:
        if response.status != HTTP_OK:
            return response
        return json_response(HTTP_OK, faults.swapped(work, msgspec.json.decode(response.body)))

    def _authenticate(self, request: Request) -> None:
        given = _secret_key(request.header("Authorization"))
        if not hmac.compare_digest(given.encode(), self.settings.secret_key.encode()):
            raise unauthorized(given)

    def _catch_up(self) -> None:
        """Do what has come due since the last request, each at its own moment."""
        now_ms = self.now_ms
        for _ in range(CATCH_UP_MAX):
            due = [row for row in self.books.all(DUE) if row["due_ms"] <= now_ms]
            if not due:
                return
            row = min(due, key=lambda each: each["due_ms"])
            self.books.drop(DUE, f"{row['act']}:{row['subject']}")
            routes.LATER[row["act"]](self._work(row["due_ms"]), row["subject"])
            self._commit()

    def _commit(self) -> None:
        count = self.books.get(COUNT, COUNT)
        if self.books.is_changed and (count is None or count["value"] != self.ids.count):
            self.books.put(COUNT, COUNT, {"value": self.ids.count})
        self.books.commit()


def _told(refusal: Refusal) -> Response:
    response = json_response(refusal.status, refusal.body())
    return response.with_headers(refusal.headers)


def _no_route(request: Request) -> Refusal:
    return Refusal(
        404,
        {
            "type": "invalid_request_error",
            "message": f"Unrecognized request URL ({request.method}: {request.route[:200]}).",
        },
        is_replayable=False,
    )


def _secret_key(authorization: str) -> str:
    """The key of a bearer token, or the user name of basic authentication."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
