"""Errands about test clocks, for the tour: each dies at each of its points and is done once."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from tests.api.client import Client, Response
from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Request

from bursar.domain.ids import uuid_of
from bursar.jobs import dispatch
from bursar.runtime.app import App

PATH: Final = "/v1/test-clock"
_PASSES_MAX: Final = 20
TOLD: Final = "SELECT count(*) FROM events WHERE org_id = $1 AND type = '{}'"


class Mover(Client, frozen=True):
    """Somebody who asks, beside a worker that moves clocks."""

    moved: App | None = None

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        answer = await super().ask(method, path, body, headers=headers)
        while self.moved is not None and await dispatch.move_clocks(self.moved):
            pass
        return answer


class Adder(Client, frozen=True):
    """Somebody who asks, beside a worker that adds figures up."""

    added: App | None = None

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        assert self.added is not None
        await dispatch.add_up_figures(self.added)
        return await super().ask(method, path, body, headers=headers)


async def _request(stage: Stage, verb: str, body: object, told: str) -> Request:
    org = await stage.world.org()
    client = stage.http.bearing(org.access_token, org.id)
    if verb == "/release":
        stopped = await client.post(PATH)
        assert stopped.status == 201, stopped.body
    mover = Mover(client.app, client.headers, client.address, stage.world.app)
    counted = TOLD.format(told)
    return Request(mover, "POST", PATH + verb, body, counted, uuid_of(org.id))


async def _stop(stage: Stage) -> Request:
    return await _request(stage, "", {}, "test_clock.frozen")


async def _advance(stage: Stage) -> Request:
    return await _request(stage, "/advance", {"by": "3 days"}, "test_clock.advanced")


async def _release(stage: Stage) -> Request:
    return await _request(stage, "/release", {}, "test_clock.released")


async def _add_up(stage: Stage) -> Request:
    org = await stage.world.org()
    await org.invoice(await org.customer(token=None))
    client = stage.http.bearing(org.access_token, org.id)
    adder = Adder(client.app, client.headers, client.address, stage.world.app)
    counted = "SELECT sum(count) FROM figure_days WHERE org_id = $1 AND measure = 'invoiced'"
    return Request(adder, "GET", "/v1/analytics/invoices", None, counted, uuid_of(org.id))


async def _carry(stage: Stage) -> Request:
    """Sums are closed and added up, in two commits."""
    org = await stage.world.org()
    await org.invoice(await org.customer(token=None))
    client = stage.http.bearing(org.access_token, org.id)
    counted = "SELECT count(DISTINCT org_id) FROM ledger_folds WHERE org_id = $1"

    async def beside() -> None:
        # A pass takes so many organizations at once, and many were here before this one.
        for _ in range(_PASSES_MAX):
            await dispatch.carry_forward(stage.world.app, timedelta(0))
            if await stage.owner.fetchval(counted, uuid_of(org.id)):
                return

    path = "/v1/ledger/trial-balance"
    return Request(client, "GET", path, None, counted, uuid_of(org.id), beside=beside)


async def _tell_head(stage: Stage) -> Request:
    """The head of a log that grew is told in one commit."""
    org = await stage.world.org()
    await stage.world.seal()
    grown = "UPDATE audit_growth SET checkpoint_at = '-infinity' WHERE org_id = $1"
    await stage.owner.execute(grown, uuid_of(org.id))
    client = stage.http.bearing(org.access_token, org.id)
    beside = partial(dispatch.tell_checkpoints, stage.world.app)
    counted = TOLD.format("audit.checkpoint")
    return Request(
        client, "GET", "/v1/webhook-subscriptions", None, counted, uuid_of(org.id), beside=beside
    )


CLOCK_ERRANDS: Final[tuple[Arrange, ...]] = (
    *(_stop, _advance, _release),
    *(_add_up, _carry, _tell_head),
)
