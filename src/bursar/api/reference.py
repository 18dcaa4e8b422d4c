"""`/docs/reference`: the API as a plain page; `/docs/errors`: codes; `/docs/json`: the document."""

from functools import cache
from typing import Final

import msgspec
from litestar.handlers import HTTPRouteHandler

from bursar.api.dispatch import Wire, plain_endpoint
from bursar.api.errors import CODES, PROTOCOL_CODES, every_reason
from bursar.api.explorer import explorer_routes
from bursar.api.openapi import document
from bursar.api.pages import page, styles_route
from bursar.api.rooms import ROOMS
from bursar.runtime.app import App
from bursar.runtime.idempotency import Answer

_CACHED: Final = ("Cache-Control", "public, max-age=300")


def reference_routes(app: App) -> list[HTTPRouteHandler]:
    """The pages and the document."""
    whole, operations, errors = _written(app.settings.public_url)

    async def openapi(_request: Wire) -> Answer:
        return whole

    async def reference(_request: Wire) -> Answer:
        return operations

    async def error_reference(_request: Wire) -> Answer:
        return errors

    return [
        plain_endpoint("GET", "/docs/json", openapi),
        plain_endpoint("GET", "/docs/reference", reference),
        plain_endpoint("GET", "/docs/errors", error_reference),
        *explorer_routes(),
        styles_route(),
    ]


@cache
def _written(server_url: str) -> tuple[Answer, Answer, Answer]:
    """The document, its page and that of the errors; all of them are made once in a process."""
    described = document(version="0.1.0", server_url=server_url)
    whole = Answer(200, msgspec.json.encode(described), (_CACHED,))
    operations = page("reference.html", {"rooms": _shown_rooms(described), "info": described})
    codes = sorted({*CODES.values(), *PROTOCOL_CODES}, key=lambda code: (code.status, code.code))
    errors = page("errors.html", {"codes": codes, "reasons": every_reason()})
    return whole, operations, errors


def _shown_rooms(described: dict[str, object]) -> list[dict[str, object]]:
    """Each tag with its operations, in the order of the rooms."""
    shown: dict[str, dict[str, object]] = {}
    paths = described["paths"]
    assert isinstance(paths, dict)
    for room in ROOMS:
        entry = shown.setdefault(room.tag, {"tag": room.tag, "about": room.about, "routes": []})
        routes = entry["routes"]
        assert isinstance(routes, list)
        routes += [
            {
                "method": route.method,
                "path": route.path,
                "described": paths[route.path][route.method.lower()],
            }
            for route in room.routes
        ]
    return list(shown.values())
