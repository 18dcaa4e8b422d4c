"""The console's templates, and the headers that keep its pages to themselves.

A page runs scripts from our own files alone, never from its text; it loads nothing from elsewhere
and cannot be framed; what people typed is always escaped.
"""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bursar.console.assets import PATHS
from bursar.console.nouns.every import sections
from bursar.console.passes import form_token
from bursar.console.visits import Visit
from bursar.domain.access import Permission
from bursar.runtime.idempotency import Answer

_HERE: Final = Path(__file__).parent
QUEUES: Final = "/admin/queues"
QUEUES_LIVE: Final = f"{QUEUES}/live"
_STRIPE: Final = "https://checkout.stripe.com"
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["assets"] = PATHS
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; "
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
        "sees_money": visit.may(Permission.INVOICE_READ),
        "live": live_place(visit),
        "searched": "",
    }
    pays = f"{_STRIPE} {visit.app.settings.sandbox_url}"
    return page(template, around | context, status=status, forms_lead_to=pays)


def live_place(visit: Visit) -> str:
    """Where the page hears of changes; nowhere for whoever may not read events."""
    if visit.org is None:
        return QUEUES_LIVE if visit.request.scope["path"] == QUEUES else ""
    return f"{visit.root}/live" if visit.may(Permission.EVENT_READ) else ""


def see_other(place: str, *headers: tuple[str, str]) -> Answer:
    """Go there."""
    return Answer(303, b"", (("Location", place), *headers))
