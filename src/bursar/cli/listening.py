"""`bursar webhook listen`: the event feed, carried to a program on this machine as webhooks are.

Signed by a secret of its own, which is shown at the start. What is not taken is tried again and
holds back what follows, so a program under development sees every event, once it is mended.
"""

import asyncio
from typing import Final

from msgspec import Struct

from bursar.cli.output import say
from bursar.domain.event_log import LoggedEvent
from bursar.domain.event_names import MEANT_BY_ALL, PUBLIC_EVENTS
from bursar.domain.ids import EventId
from bursar.domain.paging import SIZE_MAX
from bursar.domain.refusals import InvalidInput
from bursar.domain.sending import WebhookRequest
from bursar.domain.shapes.events import event_body
from bursar.domain.webhooks import DeliveryVerdict
from bursar.reads.events import FeedFilters, events, newest_event
from bursar.runtime import clock
from bursar.runtime.app import Caller
from bursar.runtime.crypto import new_webhook_secret, webhook_headers

_PAUSE_SECONDS: Final = 0.5
_AGAIN_SECONDS_MAX: Final = 30.0


class Forwarding(Struct, frozen=True, kw_only=True):
    """What is forwarded, where to, from where on, and for how long."""

    url: str
    event_types: tuple[str, ...]
    after: EventId | None
    seconds: float | None
    is_quiet: bool

    def __post_init__(self) -> None:
        unknown = sorted(set(self.event_types) - set(PUBLIC_EVENTS))
        if unknown:
            raise InvalidInput.at("event", f"{unknown[0]} is no type of event", "unknown_value")


async def forward(caller: Caller, wish: Forwarding) -> None:
    """Follow the feed until the time is over or somebody stops it; say where to go on."""
    secret = new_webhook_secret()
    say(f"forwarding to {wish.url}, signed with {secret}", is_quiet=wish.is_quiet)
    forwarder = _Forwarder(caller, wish.url, secret, is_quiet=wish.is_quiet)
    try:
        async with asyncio.timeout(wish.seconds):
            await forwarder.follow(wish.after, FeedFilters(types=wish.event_types or MEANT_BY_ALL))
    except TimeoutError:
        return
    finally:
        say(f"go on with --after {forwarder.cursor}", is_quiet=wish.is_quiet)


class _Forwarder:
    def __init__(self, caller: Caller, url: str, secret: str, *, is_quiet: bool) -> None:
        self._caller = caller
        self._url = url
        self._secret = secret
        self._is_quiet = is_quiet
        self.cursor: EventId | None = None

    async def follow(self, after: EventId | None, filters: FeedFilters) -> None:
        """For ever: what comes after that event, or from now on."""
        self.cursor = after or await self._caller.look(newest_event)
        while True:
            shown = await self._caller.look(
                events, after=self.cursor, limit=SIZE_MAX, filters=filters
            )
            for event in shown.items:
                await self._forward(event)
                self.cursor = event.id
            if not shown.items:
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _forward(self, event: LoggedEvent) -> None:
        pause = _PAUSE_SECONDS
        while not await self._is_taken(event):
            await asyncio.sleep(pause)
            pause = min(pause * 2, _AGAIN_SECONDS_MAX)

    async def _is_taken(self, event: LoggedEvent) -> bool:
        body = event_body(event)
        headers = webhook_headers((self._secret,), event.id, clock.now(), body)
        answer = await self._caller.app.sender.send(WebhookRequest(self._url, headers, body))
        said = answer.status if answer.failure is None else answer.failure.value
        say(f"{event.name} {event.id}: {said}", is_quiet=self._is_quiet)
        return answer.verdict is DeliveryVerdict.DELIVERED
