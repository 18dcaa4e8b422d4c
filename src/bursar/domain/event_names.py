"""Every event by its wire name: what a log may hold, and what a webhook may ask for.

A module that tells events is imported here, or its events would not be known.
"""

from typing import Final

from bursar.domain import checkpoints, dunning_events, payment_events
from bursar.domain.events import Event

_TOLD_ELSEWHERE: Final = (payment_events, dunning_events, checkpoints)

EVENTS: Final[dict[str, type[Event]]] = {event.name: event for event in Event.__subclasses__()}
PUBLIC_EVENTS: Final[tuple[str, ...]] = tuple(
    sorted(name for name, event in EVENTS.items() if event.is_public)
)
MEANT_BY_ALL: Final[tuple[str, ...]] = tuple(
    name for name in PUBLIC_EVENTS if EVENTS[name].is_in_all
)
"""What `*` asks for."""
