"""`/i/{token}`: where a customer sees an invoice and pays it, without an account or a script.

Whoever holds the link is `Link`, who sees one invoice and nothing else of the organization. A link
that is wrong or of a draft leads to one and the same page; one that has ended offers a new one by
mail. Paying is a form that leads to the provider's own page: a card number never comes here.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from bursar.api.dispatch import Act, Edge, Wire, plain_endpoint
from bursar.api.errors import CODES, answer_for
from bursar.api.hosted_links import own_hosted_url
from bursar.api.hosted_states import state_of
from bursar.api.hosted_words import language_of, said_in
from bursar.api.pages import page
from bursar.api.paying import Wish, begin_command
from bursar.api.printing import acknowledged, printed, spelled
from bursar.api.tags import unless_known
from bursar.api.trace import Trace, traced
from bursar.domain.access import Link, Permission, actor_label
from bursar.domain.document_settings import Language
from bursar.domain.documents import DocumentTotal
from bursar.domain.einvoices import einvoice, is_expressible
from bursar.domain.ids import InvoiceId, OrgId, print_id
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.payments import HOLDS_MONEY, PaymentMode
from bursar.domain.refusals import Kind, NotFound, NothingToPay, PaymentInProgress
from bursar.domain.wording import WORDINGS
from bursar.flows.pay_invoice import pay_invoice, refuse_if_away
from bursar.operations.sending import RenewLink, renew_link
from bursar.reads.invoices import HostedInvoice, hosted_invoice
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer
from bursar.runtime.tokens import BadToken, HostedLink, read_hosted_token

PAGE: Final = "/i/{token}"
_STRIPE: Final = "https://checkout.stripe.com"
_BACK: Final = "returned"
_ASKED: Final = "asked"


class Visit(Struct, frozen=True):
    """Somebody with a link that we made, and what is behind it."""

    caller: Caller
    hosted: HostedInvoice
    token: str
    is_live: bool  # False: the link has ended, and shows nothing any more

    @property
    def invoice(self) -> Invoice:
        """The invoice that the link names."""
        return self.hosted.invoice

    @property
    def path(self) -> str:
        """Where the page is."""
        return f"/i/{self.token}"


Serve = Callable[[Visit, Wire], Awaitable[Answer]]


def hosted_routes(edge: Edge) -> list[HTTPRouteHandler]:
    """The page, its buttons and its files."""

    def opened(serve: Serve, *, even_ended: bool = False) -> Act:
        async def act(request: Wire) -> Answer:
            visit = await _visit(edge, request)
            if visit.is_live or even_ended:
                return await serve(visit, request)
            return _ended(visit, request)

        return act

    async def pay(visit: Visit, request: Wire) -> Answer:
        await edge.limits.admit_tries(request.scope, traced(request.scope), visit.invoice.id)
        return await _pay(visit)

    async def renew(visit: Visit, request: Wire) -> Answer:
        subject = f"link:{visit.invoice.id}"
        await edge.limits.admit_tries(request.scope, traced(request.scope), subject)
        if not visit.is_live:
            await visit.caller.run(renew_link, RenewLink(visit.invoice.id))
        return _seen_other(visit.path if visit.is_live else f"{visit.path}?{_ASKED}=1")

    return [
        plain_endpoint("GET", PAGE, opened(_show), _failed),
        plain_endpoint("POST", f"{PAGE}/pay", opened(pay), _failed),
        plain_endpoint("POST", f"{PAGE}/renew", opened(renew, even_ended=True), _failed),
        plain_endpoint("GET", f"{PAGE}/pdf", opened(_print), _failed),
        plain_endpoint("GET", f"{PAGE}/receipt", opened(_acknowledge), _failed),
        plain_endpoint("GET", f"{PAGE}/xml", opened(_tell), _failed),
    ]


async def _visit(edge: Edge, request: Wire) -> Visit:
    """The visit that the link in the path makes.

    Raises:
        NotFound: it is no link that we ever made.
    """
    trace = traced(request.scope)
    await edge.limits.admit_address(request.scope, trace, f"{request.method} {trace.route}")
    token = request.path_params["token"]
    try:
        link = read_hosted_token(edge.app.keys, token)
    except BadToken:
        raise NotFound("No such link.") from None
    caller = _caller(edge, link, trace)
    hosted = await caller.look(hosted_invoice, InvoiceId(print_id("inv", link.document_id)))
    current = hosted.invoice.hosted_generation
    if link.generation > current or hosted.invoice.number is None:
        raise NotFound("No such link.")
    return Visit(caller, hosted, token, link.generation == current and not hosted.has_ended)


def _caller(edge: Edge, link: HostedLink, trace: Trace) -> Caller:
    actor = Link(InvoiceId(print_id("inv", link.document_id)))
    org_id = OrgId(print_id("org", link.org_id))
    trace.actor, trace.org_id = actor_label(actor), org_id
    return Caller(app=edge.app, org_id=org_id, actor=actor, request_id=trace.request_id)


async def _show(visit: Visit, request: Wire) -> Answer:
    hosted = visit.hosted
    document = hosted.printing.document(language_of(_header(request, b"accept-language")))
    language = Language(document.language)
    attempt = hosted.attempts[0] if hosted.attempts else None
    has_returned = request.scope["query_string"] == f"{_BACK}=1".encode()
    settings = visit.caller.app.settings
    context: dict[str, object] = {
        "document": document,
        "totals": (*document.totals, *_given_back(hosted, language)),
        "state": state_of(hosted.invoice, attempt, hosted.refunded, has_returned=has_returned),
        "language": language.value,
        "said": said_in(language),
        "has_einvoice": is_expressible(hosted.printing),
        "path": visit.path,
    }
    return page("invoice.html", context, forms_lead_to=f"{_STRIPE} {settings.sandbox_url}")


def _given_back(hosted: HostedInvoice, language: Language) -> Iterator[DocumentTotal]:
    if not hosted.refunded.is_zero:
        said = WORDINGS[language]
        yield DocumentTotal(said.refunded, said.money(-hosted.refunded))


def _ended(visit: Visit, request: Wire) -> Answer:
    """The link was ours and leads nowhere any more: offer one by mail, and tell nothing else."""
    language = _language(request)
    context: dict[str, object] = {
        "language": language.value,
        "said": said_in(language),
        "is_asked": request.scope["query_string"] == f"{_ASKED}=1".encode(),
        "path": visit.path,
    }
    return page("ended.html", context, status=410)


async def _pay(visit: Visit) -> Answer:
    """Lead to the provider's page; two clicks lead to the same one."""
    caller, invoice = visit.caller, visit.invoice
    back = own_hosted_url(caller, invoice)
    assert back is not None, "an invoice that is shown has a number"
    await refuse_if_away(caller, Permission.INVOICE_PAY)
    wish = Wish(mode=PaymentMode.CHECKOUT, success_url=f"{back}?{_BACK}=1", cancel_url=back)
    command = begin_command(caller, invoice.id, wish, back=back)
    try:
        payment = await pay_invoice(caller, command)
    except (NothingToPay, PaymentInProgress):
        return _seen_other(visit.path)  # the page says what stands in the way
    return _seen_other(payment.checkout_url or f"{visit.path}?{_BACK}=1")


async def _print(visit: Visit, request: Wire) -> Answer:
    return unless_known(await printed(visit.caller, visit.invoice.id), request.scope)


async def _acknowledge(visit: Visit, request: Wire) -> Answer:
    payments = [each for each in reversed(visit.hosted.attempts) if each.status in HOLDS_MONEY]
    if visit.invoice.status is not InvoiceStatus.PAID or not payments:
        raise NotFound("No such link.")
    receipt = visit.hosted.printing.receipt(payments)
    return unless_known(await acknowledged(visit.caller, visit.invoice, receipt), request.scope)


async def _tell(visit: Visit, request: Wire) -> Answer:
    told = spelled(einvoice(visit.hosted.printing), str(visit.invoice.number))
    return unless_known(told, request.scope)


def _language(request: Wire) -> Language:
    return language_of(_header(request, b"accept-language")) or Language.ENGLISH


def _header(request: Wire, name: bytes) -> str | None:
    """A header of the request, if it has one that is text."""
    found = [value for key, value in request.scope["headers"] if key == name]
    return found[0].decode("latin-1") if found else None


def _seen_other(place: str) -> Answer:
    return Answer(303, b"", (("Location", place),))


def _failed(error: Exception, request: Wire) -> Answer:
    """The same refusal, on a page in the reader's language."""
    trace, language = traced(request.scope), _language(request)
    answer, said = answer_for(error, trace), said_in(language)
    title, text = _WORDS.get(answer.status, _WORDS[CODES[Kind.UNAVAILABLE].status])
    context: dict[str, object] = {
        "title": said(title),
        "text": said(text),
        "reference": said("Reference"),
        "request_id": trace.request_id,
        "language": language.value,
    }
    shown = page("notice.html", context, status=answer.status)
    waits = tuple(pair for pair in answer.headers if pair[0] == "Retry-After")
    return Answer(shown.status, shown.body, shown.headers + waits)


_WORDS: Final = {
    404: (
        "This link does not work",
        "It may be incomplete. Ask whoever sent you the invoice for a new link.",
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
