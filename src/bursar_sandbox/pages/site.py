"""The pages a customer meets, and their form posts, which plain HTTP clients may send as well.

A page knows nobody: its unguessable address is the permission. It runs no script.
"""

import re
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bursar_sandbox.core import cards
from bursar_sandbox.core.cards import Decline
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import Refusal
from bursar_sandbox.core.wire import Request, Response, Thing, parse_body
from bursar_sandbox.core.work import Work
from bursar_sandbox.pages.money import money
from bursar_sandbox.resources import authentication, checkout_sessions, payment_methods

FOLDER = Path(__file__).parent
CSS = (FOLDER / "static" / "sandbox.css").read_bytes()
PATH = re.compile(r"/(checkout|3ds)/([A-Za-z0-9_]{1,255})\Z")
EXPIRY = re.compile(r"\s*([0-9]{1,2})\s*[/-]?\s*([0-9]{2}|[0-9]{4})\s*\Z")
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters["money"] = money


def answer(work: Work, request: Request) -> Response:
    """The page at this address."""
    if request.route == "/static/sandbox.css" and request.method == "GET":
        return Response(200, {"Content-Type": "text/css; charset=utf-8"}, CSS)
    if request.route == "/" and request.method == "GET":
        return _page(200, "home.html", cards=cards.CARDS)
    match = PATH.match(request.route)
    if match is None or request.method not in {"GET", "POST"}:
        return _message(404, "Page not found", "There is nothing at this address.")
    if match[1] == "checkout":
        return _checkout(work, request, match[2])
    return _challenge(work, request, match[2])


def _checkout(work: Work, request: Request, session_id: str) -> Response:
    session = work.get(checkout_sessions.KIND, session_id)
    if session is None:
        return _message(404, "Page not found", "There is no checkout at this address.")
    if session["status"] == "expired":
        return _message(410, "This page has expired", "Ask for a new link to pay.", session)
    if session["status"] == "complete":
        if request.method == "POST":
            return _see(_success(session))
        return _message(200, "Thank you", "This payment is already complete.", session)
    if request.method == "GET":
        return _form(200, session, _last_message(work, session))
    return _pay(work, request, session)


def _pay(work: Work, request: Request, session: Thing) -> Response:
    try:
        method = _typed(work, Params(parse_body(request)))
    except Refusal as refusal:
        return _form(refusal.status, session, refusal.error["message"])
    intent, decline = checkout_sessions.pay(work, session["id"], method)
    if decline is not None:
        return _form(402, session, decline.message)
    if intent["status"] == "requires_action":
        return _see(intent["next_action"]["redirect_to_url"]["url"])
    return _see(_success(session))


def _typed(work: Work, params: Params) -> Thing:
    number = re.sub(r"[\s-]", "", params.text("number") or "")
    expiry = EXPIRY.match(params.text("expiry") or "")
    if expiry is None:
        wrong = "Your card's expiration date is incomplete."
        raise cards.card_error(Decline("invalid_expiry_month", None, wrong), "expiry")
    month_year = (int(expiry[1]), int(expiry[2]))
    method = payment_methods.typed(work, number, month_year, params.text("cvc"))
    method["billing_details"]["name"] = params.text("name") or None
    return method


def _last_message(work: Work, session: Thing) -> str | None:
    intent = work.get("payment_intent", session["payment_intent"] or "")
    error = intent["last_payment_error"] if intent else None
    return str(error["message"]) if error else None


def _success(session: Thing) -> str:
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _form(status: int, session: Thing, message: str | None) -> Response:
    return _page(
        status,
        "checkout.html",
        session=session,
        items=session["_line_items"],
        message=message,
    )


def _challenge(work: Work, request: Request, intent_id: str) -> Response:
    kind = "setup_intent" if intent_id.startswith("seti_") else "payment_intent"
    intent = work.get(kind, intent_id)
    if intent is None:
        return _message(404, "Page not found", "There is no payment at this address.")
    if request.method == "GET":
        if intent["status"] != "requires_action":
            return _message(200, "Nothing to do", "This payment needs no confirmation any more.")
        return _page(200, "challenge.html", intent=intent)
    outcome = Params(parse_body(request)).text("outcome")
    if outcome not in {"complete", "fail"}:
        return _page(400, "challenge.html", intent=intent)
    done = authentication.complete(work, kind, intent_id, is_proven=outcome == "complete")
    return _after(work, done)


def _after(work: Work, intent: Thing) -> Response:
    session = work.get(checkout_sessions.KIND, intent.get("_session") or "")
    if session is not None:
        is_over = session["status"] == "complete"
        return _see(_success(session) if is_over else f"/checkout/{session['id']}")
    if intent["_return_url"] is None:
        return _message(200, "Thank you", "You may close this page.")
    return _see(_returning(intent))


def _returning(intent: Thing) -> str:
    """The merchant's address with what Stripe appends to it."""
    status = intent["status"]
    told = {
        intent["object"]: intent["id"],
        f"{intent['object']}_client_secret": intent["client_secret"],
        "redirect_status": "failed" if status == "requires_payment_method" else status,
    }
    url: str = intent["_return_url"]
    bare, hash_mark, fragment = url.partition("#")
    joint = "&" if "?" in bare else "?"
    return f"{bare}{joint}{urlencode(told)}{hash_mark}{fragment}"


def _message(status: int, title: str, text: str, session: Thing | None = None) -> Response:
    link = session["cancel_url"] if session else None
    return _page(status, "message.html", title=title, text=text, link=link)


def _page(status: int, template: str, **values: object) -> Response:
    return Response(status, dict(HEADERS), TEMPLATES.get_template(template).render(values).encode())


def _see(url: str) -> Response:
    return Response(303, {"Location": url, "Cache-Control": "no-store"}, b"")
