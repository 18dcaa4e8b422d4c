"""`/i/{token}`: where a customer sees an invoice and pays it, without an account or a script.

Whoever holds the link is `Link`, who sees one invoice and nothing else of the organization. A link
that is wrong, revoked or of a draft leads to one and the same page. Paying is a form that leads to
the provider's own page: a card number never comes here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from litestar.handlers import HTTPRouteHandler

from bursar.api.dispatch import Act, Edge, Wire, plain_endpoint
from bursar.api.errors import CODES, answer_for
from bursar.api.hosted_links import own_hosted_url
from bursar.api.hosted_states import state_of
from bursar.api.hosted_words import language_of, said_in
from bursar.api.pages import page
from bursar.api.paying import Wish, begin_command
from bursar.api.printing import printed
from bursar.api.trace import Trace, traced
from bursar.domain.access import Link, actor_label
from bursar.domain.document_settings import Language
from bursar.domain.einvoices import einvoice
from bursar.domain.ids import InvoiceId, OrgId, print_id
from bursar.domain.invoices import Invoice
from bursar.domain.payments import PaymentMode
from bursar.domain.refusals import Kind, NotFound, NothingToPay, PaymentInProgress
from bursar.flows.pay_invoice import pay_invoice, refuse_if_away
from bursar.reads.invoices import invoice as invoice_look
from bursar.reads.invoices import invoice_document, invoice_printing, last_attempt
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer
from bursar.runtime.tokens import BadToken, HostedLink, read_hosted_token

PAGE: Final = "/i/{token}"
_STRIPE: Final = "https://checkout.stripe.com"
_BACK: Final = "returned"


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody with a link that works, and the invoice behind it."""

    caller: Caller
    invoice: Invoice
    token: str


Serve = Callable[[Visit, Wire], Awaitable[Answer]]


def hosted_routes(edge: Edge) -> list[HTTPRouteHandler]:
    """The page, its button and its PDF."""

    def opened(serve: Serve) -> Act:
        async def act(request: Wire) -> Answer:
            return await serve(await _visit(edge, request), request)

        return act

    async def pay(visit: Visit, request: Wire) -> Answer:
        trace = traced(request.scope)
        await edge.limits.admit_tries(request.scope, trace, visit.invoice.id)
        return await _pay(visit)

    return [
        plain_endpoint("GET", PAGE, opened(_show), _failed),
        plain_endpoint("POST", f"{PAGE}/pay", opened(pay), _failed),
        plain_endpoint("GET", f"{PAGE}/pdf", opened(_print), _failed),
        plain_endpoint("GET", f"{PAGE}/xml", opened(_tell), _failed),
    ]


async def _visit(edge: Edge, request: Wire) -> Visit:
    """The visit that the link in the path makes.

    Raises:
        NotFound: whatever is wrong with the link.
    """
    trace = traced(request.scope)
    await edge.limits.admit_address(request.scope, trace, f"{request.method} {trace.route}")
    token = request.path_params["token"]
    try:
        link = read_hosted_token(edge.app.keys, token)
    except BadToken:
        raise NotFound("No such link.") from None
    caller = _caller(edge, link, trace)
    invoice = await caller.look(invoice_look, InvoiceId(print_id("inv", link.document_id)))
    if invoice.hosted_generation != link.generation or invoice.number is None:
        raise NotFound("No such link.")
    return Visit(caller, invoice, token)


def _caller(edge: Edge, link: HostedLink, trace: Trace) -> Caller:
    actor = Link(InvoiceId(print_id("inv", link.document_id)))
    org_id = OrgId(print_id("org", link.org_id))
    trace.actor, trace.org_id = actor_label(actor), org_id
    return Caller(app=edge.app, org_id=org_id, actor=actor, request_id=trace.request_id)


async def _show(visit: Visit, request: Wire) -> Answer:
    language = language_of(_header(request, b"accept-language"))
    document = await visit.caller.look(invoice_document, visit.invoice.id, language)
    attempt = await visit.caller.look(last_attempt, visit.invoice.id)
    has_returned = request.scope["query_string"] == f"{_BACK}=1".encode()
    state = state_of(visit.invoice, attempt, has_returned=has_returned)
    settings = visit.caller.app.settings
    context: dict[str, object] = {
        "document": document,
        "state": state,
        "language": document.language,
        "said": said_in(Language(document.language)),
        "xml_path": f"/i/{visit.token}/xml",
        "pay_path": f"/i/{visit.token}/pay",
        "pdf_path": f"/i/{visit.token}/pdf",
        "page_path": f"/i/{visit.token}",
    }
    return page("invoice.html", context, forms_lead_to=f"{_STRIPE} {settings.sandbox_url}")


async def _pay(visit: Visit) -> Answer:
    """Lead to the provider's page; two clicks lead to the same one."""
    caller, invoice = visit.caller, visit.invoice
    back = own_hosted_url(caller, invoice)
    assert back is not None, "an invoice that is shown has a number"
    refuse_if_away(caller)
    wish = Wish(mode=PaymentMode.CHECKOUT, success_url=f"{back}?{_BACK}=1", cancel_url=back)
    command = begin_command(caller, invoice.id, wish, back=back)
    try:
        payment = await pay_invoice(caller, command)
    except (NothingToPay, PaymentInProgress):
        return _seen_other(f"/i/{visit.token}")  # the page says what stands in the way
    return _seen_other(payment.checkout_url or f"/i/{visit.token}?{_BACK}=1")


async def _print(visit: Visit, _request: Wire) -> Answer:
    return await printed(visit.caller, visit.invoice)


async def _tell(visit: Visit, _request: Wire) -> Answer:
    printing = await visit.caller.look(invoice_printing, visit.invoice.id)
    return Answer(200, einvoice(printing), (("Content-Type", "application/xml"),))


def _header(request: Wire, name: bytes) -> str | None:
    """A header of the request, if it has one that is text."""
    found = [value for key, value in request.scope["headers"] if key == name]
    return found[0].decode("latin-1") if found else None


def _seen_other(place: str) -> Answer:
    return Answer(303, b"", (("Location", place),))


def _failed(error: Exception, trace: Trace) -> Answer:
    """The same refusal, on a page."""
    answer = answer_for(error, trace)
    title, text = _WORDS.get(answer.status, _WORDS[CODES[Kind.UNAVAILABLE].status])
    context: dict[str, object] = {"title": title, "text": text, "request_id": trace.request_id}
    shown = page("notice.html", context, status=answer.status)
    waits = tuple(pair for pair in answer.headers if pair[0] == "Retry-After")
    return Answer(shown.status, shown.body, shown.headers + waits)


_WORDS: Final = {
    404: (
        "This link does not work",
        "It may have expired or been replaced. Ask whoever sent you the invoice for a new link.",
    ),
    429: ("One moment, please", "There were many tries from here. Wait a little and try again."),
    500: (
        "Something went wrong on our side",
        "Try again in a minute: two tries never pay twice. If it stays so, quote the reference.",
    ),
    503: (
        "We cannot reach the payment page right now",
        "Nothing was charged. Try again in a minute.",
    ),
}
