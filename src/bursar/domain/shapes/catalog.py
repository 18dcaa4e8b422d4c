"""The catalogue of events: for each one its payload's JSON Schema and a sample.

Made from the shapes and the rules themselves, so the reference cannot drift from what is sent.
"""

from typing import Any

import msgspec

from bursar.domain.event_log import LoggedEvent
from bursar.domain.event_names import EVENTS
from bursar.domain.ids import EventId
from bursar.domain.shapes.events import EventOut, event_body
from bursar.domain.shapes.render import RENDERINGS, Rendering, changed, resource_type, snapshot
from bursar.domain.shapes.samples import AT, SAMPLES

Schema = dict[str, Any]


def schema_of(event_name: str) -> Schema:
    """The JSON Schema (2020-12) of the body that carries this event."""
    shape = _rendering_of(event_name).shape
    (resource,), definitions = msgspec.json.schema_components(
        [shape], ref_template="#/$defs/{name}"
    )
    (envelope,) = msgspec.json.schema_components([EventOut])[1].values()
    properties = {
        **envelope["properties"],
        "type": {"const": event_name},
        "data": resource,
        "previousAttributes": {"type": ["object", "null"]},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event_name,
        "description": EVENTS[event_name].when,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "$defs": definitions,
    }


def sample_of(event_name: str) -> bytes:
    """A body that carries this event, as a webhook would."""
    event = SAMPLES[event_name]
    logged = LoggedEvent(
        id=EventId("evt_0195a1b2-c3d4-7999-8000-0123456789ab"),
        name=event_name,
        is_public=event.is_public,
        resource_type=resource_type(event.subject),
        resource_id=event.subject.id,
        sequence=event.subject.version,
        actor="system:sample",
        reason=None,
        request_id="0195a1b2-c3d4-7998-8000-0123456789ab",
        address=None,
        occurred_at=AT,
        recorded_at=AT,
        snapshot=snapshot(event.subject),
        previous=changed(event.before, event.subject),
    )
    return event_body(logged)


def sample_told_by(event: LoggedEvent, event_name: str) -> bytes:
    """The sample of one type, under the id and the moment of an event that really was."""
    sample = msgspec.json.decode(sample_of(event_name), type=EventOut)
    told = EventOut.of(event)
    return msgspec.json.encode(
        msgspec.structs.replace(sample, id=told.id, created_at=told.created_at)
    )


def _rendering_of(event_name: str) -> Rendering:
    return RENDERINGS[type(SAMPLES[event_name].subject)]
