"""The same look through the same edge, by nobody who has to prove who they are.

Guard, log, metrics, an allowance, the framework, the statement and the document are ours; only the
credential is not read, not looked up and not checked. The organization stands in the path.
"""

import asyncio
import os
from typing import Any

import uvicorn
import uvloop

from bursar.api.asgi import build_api
from bursar.api.fields import NoQuery
from bursar.api.protocol import guarded_http
from bursar.api.routes import Audience, Call, Route
from bursar.api.v1.invoices import ROOM
from bursar.domain.access import System
from bursar.domain.frozen import replace
from bursar.domain.ids import OrgId
from bursar.main import build
from bursar.runtime import logging
from bursar.runtime.idempotency import Answer
from bursar.runtime.settings import load

PATH = "/organizations/{organizationId}/invoices/{invoiceId}"
_SAME = next(each for each in ROOM.routes if each.spot == "GET /v1/invoices/{invoiceId}")


async def _look(call: Call[None, NoQuery]) -> Answer:
    """The same look, by the system itself."""
    org_id = OrgId(call.id("organizationId"))
    caller = replace(call.caller, org_id=org_id, actor=System("bench"))
    return await _SAME.act(replace(call, caller=caller))


def _open() -> Route:
    terms = replace(_SAME.terms, audience=Audience.ANYONE)
    return Route("GET", PATH, _SAME.tag, terms, _look)


async def _serve() -> None:
    settings: Any = load(os.environ)
    # Everybody here is one address: their allowance is the one of a credential.
    settings = replace(settings, app_env="development")
    logging.configure(level=settings.log_level)
    async with build(settings, part="bench", app_url=os.environ["DATABASE_URL"]) as app:
        config = uvicorn.Config(
            build_api(app, [_open()]),
            host="127.0.0.1",
            port=settings.port,
            loop="none",
            http=guarded_http(settings.trusted_proxies),
            lifespan="off",
            log_config=None,
            access_log=False,
        )
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
