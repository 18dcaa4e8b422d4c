"""`/docs/reference`: the API as a plain page; `/docs/errors`: codes; `/docs/json`: the document."""

import asyncio
from functools import cache
from typing import Final

import msgspec
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

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
    turn = asyncio.Lock()

    async def written() -> _Written:
        async with turn:
            return await asyncio.to_thread(_written, app.settings.public_url)

    async def openapi(_request: Wire) -> Answer:
        return (await written()).whole

    async def reference(_request: Wire) -> Answer:
        return (await written()).operations

    async def error_reference(_request: Wire) -> Answer:
        return (await written()).errors

    return [
        plain_endpoint("GET", "/docs/json", openapi),
        plain_endpoint("GET", "/docs/reference", reference),
        plain_endpoint("GET", "/docs/errors", error_reference),
        *explorer_routes(),
        styles_route(),
    ]


class _Written(Struct, frozen=True):
    """The document, its page and that of the errors."""

    whole: Answer
    operations: Answer
    errors: Answer


@cache
def _written(server_url: str) -> _Written:
    """Once in a process, for its first reader: a start need not wait for half a second of it."""
    described = document(version="0.1.0", server_url=server_url)
    whole = Answer(200, msgspec.json.encode(described), (_CACHED,))
    operations = page("reference.html", {"rooms": _shown_rooms(described), "info": described})
    codes = sorted({*CODES.values(), *PROTOCOL_CODES}, key=lambda code: (code.status, code.code))
    errors = page("errors.html", {"codes": codes, "reasons": every_reason()})
    return _Written(whole, operations, errors)


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
