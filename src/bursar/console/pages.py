"""The console's templates, its stylesheet, and the headers that keep its pages to themselves.

A page runs no script of ours in its text, loads nothing from elsewhere and cannot be framed; what
people typed is always escaped. The stylesheet's name carries a hash of what it says.
"""

import hashlib
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.handlers import HTTPRouteHandler

from bursar.api.dispatch import Wire, plain_endpoint
from bursar.console.nouns.every import sections
from bursar.console.passes import form_token
from bursar.console.visits import Visit
from bursar.domain.refusals import NotFound
from bursar.runtime.idempotency import Answer

_HERE: Final = Path(__file__).parent
_STYLES: Final = (_HERE / "static" / "console.css").read_bytes()
STYLES_PATH: Final = f"/console/static/console.{hashlib.sha256(_STYLES).hexdigest()[:16]}.css"

_STRIPE: Final = "https://checkout.stripe.com"
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["styles_path"] = STYLES_PATH
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "frame-ancestors 'none'; object-src 'none'; form-action 'self' "
)


def page(
    template: str, context: dict[str, object], *, status: int = 200, forms_lead_to: str = ""
) -> Answer:
    """A rendered page; its forms lead to us, and by redirect to the origins named."""
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", f"{_POLICY}{forms_lead_to}".rstrip()),
        ("X-Robots-Tag", "noindex, nofollow"),
    )
    return Answer(status, _TEMPLATES.get_template(template).render(context).encode(), headers)


def inside(visit: Visit, template: str, context: dict[str, object], *, status: int = 200) -> Answer:
    """A page with the navigation around it, as far as the visitor may go."""
    around: dict[str, object] = {
        "me": visit.me,
        "org": visit.org,
        "role": visit.role,
        "root": visit.root,
        "here": visit.request.path_params.get("noun", ""),
        "sections": {
            section.value: [noun for noun in nouns if visit.may(noun.needs)]
            for section, nouns in sections().items()
        },
        "form_token": form_token(visit.app.keys, visit.given),
        "searched": "",
    }
    pays = f"{_STRIPE} {visit.app.settings.sandbox_url}"
    return page(template, around | context, status=status, forms_lead_to=pays)


def see_other(place: str, *headers: tuple[str, str]) -> Answer:
    """Go there."""
    return Answer(303, b"", (("Location", place), *headers))


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

    return plain_endpoint("GET", "/console/static/{name}", styles)
