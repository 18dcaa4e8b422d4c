"""`/docs` and `/docs/swagger`: every operation read and tried in the browser, without the internet.

Owns which files of Scalar and of Swagger UI are shown and under which rules. Each file's name
carries a hash of its content, so it may be kept for ever. A page runs our own copies of scripts
and nothing written into it, talks to this server only, and keeps no credential.
"""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from bursar.api.dispatch import Wire, plain_endpoint
from bursar.api.pages import page
from bursar.domain.refusals import NotFound
from bursar.runtime.idempotency import Answer

REFERENCE_PATH: Final = "/docs"
SWAGGER_PATH: Final = "/docs/swagger"
EXPLORER_PATHS: Final = (REFERENCE_PATH, SWAGGER_PATH)
_FILES_PATH: Final = "/docs/files"
_STATIC: Final = Path(__file__).parent / "static"
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
# Both set widths and colors on elements, and their icons are pictures in the stylesheet.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class _File(Struct, frozen=True):
    """A file as it is served: under a name that its content gives it."""

    path: str
    answer: Answer


def explorer_routes() -> list[HTTPRouteHandler]:
    """The pages and what they load; all of it is read once, when it is first asked for."""

    async def reference(_request: Wire) -> Answer:
        return _explorer("API reference", _scalar())

    async def swagger(_request: Wire) -> Answer:
        return _explorer("Try the API", _swagger())

    async def file(request: Wire) -> Answer:
        found = _served().get(request.scope["path"])
        if found is None:
            raise NotFound("No such path.")
        return found

    return [
        plain_endpoint("GET", REFERENCE_PATH, reference),
        plain_endpoint("GET", SWAGGER_PATH, swagger),
        plain_endpoint("GET", f"{_FILES_PATH}/{{name}}", file),
    ]


def _explorer(title: str, files: tuple[_File, ...]) -> Answer:
    shown: dict[str, object] = {
        "title": title,
        "scripts": [file.path for file in files if file.path.endswith(".js")],
        "styles": [file.path for file in files if file.path.endswith(".css")],
    }
    return page("explorer.html", shown, policy=_POLICY)


@cache
def _scalar() -> tuple[_File, ...]:
    """In the order in which the page loads them; Scalar's own carries its styles."""
    return _file(_STATIC / "vendored" / "scalar.standalone.js"), _file(_STATIC / "reference.js")


@cache
def _swagger() -> tuple[_File, ...]:
    theirs = _swagger_package()
    return (
        _file(theirs / "swagger-ui.css"),
        _file(theirs / "swagger-ui-bundle.js"),
        _file(_STATIC / "explorer.js"),
    )


@cache
def _served() -> dict[str, Answer]:
    return {file.path: file.answer for file in (*_scalar(), *_swagger())}


def _swagger_package() -> Path:
    """Where the package keeps them; it is not imported, for it brings servers of its own."""
    found = find_spec("swagger_ui")
    assert found is not None, "it is in pyproject.toml"
    assert found.origin is not None, "it is a package of files"
    return Path(found.origin).parent / "static"


def _file(path: Path) -> _File:
    content = path.read_bytes()
    name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:16]}{path.suffix}"
    headers = (
        ("Content-Type", _TYPES[path.suffix]),
        ("Cache-Control", "public, max-age=31536000, immutable"),
    )
    return _File(f"{_FILES_PATH}/{name}", Answer(200, content, headers))
