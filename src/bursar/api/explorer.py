"""`/docs/swagger`: every operation to be tried in the browser, by Swagger UI, without the internet.

Owns which files of the `swagger-ui-py` package are shown and under which rules. Each file's name
carries a hash of its content, so it may be kept for ever. The page runs our own copies of scripts
and nothing written into it, talks to this server only, and keeps no credential.
"""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from litestar.handlers import HTTPRouteHandler

from bursar.api.dispatch import Wire, plain_endpoint
from bursar.api.pages import page
from bursar.domain.refusals import NotFound
from bursar.runtime.idempotency import Answer

EXPLORER_PATH: Final = "/docs/swagger"
_OURS: Final = Path(__file__).parent / "static" / "explorer.js"
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
# React sets widths and colors on elements, and its icons are pictures in the stylesheet.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def explorer_routes() -> list[HTTPRouteHandler]:
    """The page and what it loads; all of it is read once, when it is first asked for."""

    async def explorer(_request: Wire) -> Answer:
        return _page()

    async def file(request: Wire) -> Answer:
        found = _files().get(request.scope["path"])
        if found is None:
            raise NotFound("No such path.")
        return found

    return [
        plain_endpoint("GET", EXPLORER_PATH, explorer),
        plain_endpoint("GET", f"{EXPLORER_PATH}/{{name}}", file),
    ]


@cache
def _page() -> Answer:
    scripts = [path for path in _files() if path.endswith(".js")]
    styles = next(path for path in _files() if path.endswith(".css"))
    return page("explorer.html", {"scripts": scripts, "styles": styles}, policy=_POLICY)


@cache
def _files() -> dict[str, Answer]:
    """By path, in the order in which the page loads them."""
    theirs = _theirs()
    paths = (theirs / "swagger-ui.css", theirs / "swagger-ui-bundle.js", _OURS)
    return dict(_served(path) for path in paths)


def _theirs() -> Path:
    """Where the package keeps them; it is not imported, for it brings servers of its own."""
    found = find_spec("swagger_ui")
    assert found is not None, "it is in pyproject.toml"
    assert found.origin is not None, "it is a package of files"
    return Path(found.origin).parent / "static"


def _served(path: Path) -> tuple[str, Answer]:
    content = path.read_bytes()
    name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:16]}{path.suffix}"
    headers = (
        ("Content-Type", _TYPES[path.suffix]),
        ("Cache-Control", "public, max-age=31536000, immutable"),
    )
    return f"{EXPLORER_PATH}/{name}", Answer(200, content, headers)
