"""A receiver of webhooks, as a customer of Bursar would run one: keeps what comes, answers 200.

A delivery is believed only when both signatures hold, each checked without Bursar's own code: one
by the `standardwebhooks` package, one as a plain HMAC of the body.
"""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import Struct
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bursar.cli.demo_http import Unexpected

_HERE: Final = "127.0.0.1"
_KEPT_MAX: Final = 10_000
_PLAIN: Final = "x-webhook-signature"


class Delivery(Struct, frozen=True):
    """One webhook, as it came over the wire."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        """What it tells; not to be believed before it is verified."""
        return msgspec.json.decode(self.body)


@dataclass
class Receiver:
    """Everything that was delivered, and a way to wait for more."""

    url: str = ""
    deliveries: list[Delivery] = field(default_factory=list)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        """Keep one delivery."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        async with self._came:
            self.deliveries.append(Delivery(headers, await request.read()))
            del self.deliveries[:-_KEPT_MAX]
            self._came.notify_all()
        return web.Response()

    async def wait_for(self, event_type: str, *, resource_id: str, seconds: float) -> Delivery:
        """The first delivery of this event about this resource.

        Raises:
            Unexpected: none within these seconds.
        """

        def found() -> Delivery | None:
            for each in self.deliveries:
                if _is_about(each, event_type=event_type, resource_id=resource_id):
                    return each
            return None

        try:
            async with asyncio.timeout(seconds), self._came:
                delivery = await self._came.wait_for(found)
        except TimeoutError:
            heard = sorted({each.event["type"] for each in self.deliveries})
            wanted = f"webhook {event_type} of {resource_id} within {seconds:g} s"
            raise Unexpected(wanted, came=", ".join(heard) or "none") from None
        assert delivery is not None, "it was waited for"
        return delivery


def verify(delivery: Delivery, secret: str) -> None:
    """Check both signatures.

    Raises:
        Unexpected: one of them does not hold.
    """
    try:
        Webhook(secret).verify(delivery.body, dict(delivery.headers))
    except WebhookVerificationError as refused:
        raise Unexpected("a good `webhook-signature`", came=refused) from None
    tag = hmac.new(secret.encode(), delivery.body, hashlib.sha256).hexdigest()
    given = delivery.headers.get(_PLAIN, "nothing")
    if not hmac.compare_digest(f"sha256={tag}".encode(), given.encode()):
        raise Unexpected("a good `X-Webhook-Signature`", came=given)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine."""
    made = Receiver()
    application = web.Application()
    application.router.add_post("/webhooks", made.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, _HERE, 0).start()
        made.url = f"http://{_HERE}:{runner.addresses[0][1]}/webhooks"
        yield made
    finally:
        await runner.cleanup()


def _is_about(delivery: Delivery, *, event_type: str, resource_id: str) -> bool:
    event = delivery.event
    return bool(event["type"] == event_type and event["data"]["id"] == resource_id)
