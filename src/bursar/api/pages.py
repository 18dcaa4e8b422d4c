"""Pages for people: templates, one small stylesheet, and the headers that keep them to themselves.

A page loads nothing from anywhere else, and all but one run no script. Text is always escaped. The
stylesheet's name carries a hash of its content, so it may be kept for ever.
"""

import hashlib
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.handlers import HTTPRouteHandler

from bursar.api.dispatch import Wire, plain_endpoint
from bursar.domain.refusals import NotFound
from bursar.runtime.idempotency import Answer

_HERE: Final = Path(__file__).parent
_STYLES: Final = (_HERE / "static" / "pages.css").read_bytes()
STYLES_PATH: Final = f"/static/pages.{hashlib.sha256(_STYLES).hexdigest()[:16]}.css"

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["styles_path"] = STYLES_PATH


def page(
    template: str,
    context: dict[str, object],
    *,
    status: int = 200,
    forms_lead_to: str = "",
    policy: str | None = None,
) -> Answer:
    """A rendered page; its forms lead to us, and by redirect to the origins named.

    One that runs scripts of ours brings a policy of its own.
    """
    if policy is None:
        policy = (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
            f"frame-ancestors 'none'; form-action 'self' {forms_lead_to}".rstrip()
        )
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", policy),
        ("X-Robots-Tag", "noindex, nofollow"),
    )
    return Answer(status, _TEMPLATES.get_template(template).render(context).encode(), headers)


def styles_route() -> HTTPRouteHandler:
    """The stylesheet, under the name that its content gives it."""

    async def styles(request: Wire) -> Answer:
        if request.scope["path"] != STYLES_PATH:
            raise NotFound("No such path.")
        headers = (
            ("Content-Type", "text/css; charset=utf-8"),
            ("Cache-Control", "public, max-age=31536000, immutable"),
        )
        return Answer(200, _STYLES, headers)

    return plain_endpoint("GET", "/static/{name}", styles)
