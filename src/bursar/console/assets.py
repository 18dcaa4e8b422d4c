"""The files that pages load: our stylesheet and scripts, and the libraries kept beside them.

Each is served from here under a name that carries a hash of what it says, so a browser may keep it
for ever. What others wrote lies untouched in `static/vendored`, with its licence and its origin.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from litestar.handlers import HTTPRouteHandler

from bursar.api.dispatch import Wire, plain_endpoint
from bursar.domain.refusals import NotFound
from bursar.runtime.idempotency import Answer

_STATIC: Final = Path(__file__).parent / "static"
_PREFIX: Final = "/console/static"
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_NAMES: Final = (
    *("console.css", "charts.js", "copy.js", "live.js"),
    *("vendored/echarts.common.min.js", "vendored/htmx.min.js"),
)


def _path(name: str) -> str:
    file = _STATIC / name
    mark = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    return f"{_PREFIX}/{file.stem}.{mark}{file.suffix}"


PATHS: Final[Mapping[str, str]] = {name: _path(name) for name in _NAMES}
"""Where each file is served, by its name in `static`."""

_ANSWERS: Final[Mapping[str, Answer]] = {
    path: Answer(
        200,
        (_STATIC / name).read_bytes(),
        (
            ("Content-Type", _TYPES[Path(name).suffix]),
            ("Cache-Control", "public, max-age=31536000, immutable"),
        ),
    )
    for name, path in PATHS.items()
}


def assets_route() -> HTTPRouteHandler:
    """Each file, under the name that its content gives it, and under no other."""

    async def asset(request: Wire) -> Answer:
        found = _ANSWERS.get(request.scope["path"])
        if found is None:
            raise NotFound("No such path.")
        return found

    return plain_endpoint("GET", _PREFIX + "/{name}", asset)
