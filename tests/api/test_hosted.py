"""The hosted page: honest, escaped, without a script, and for one invoice only."""

import ast
import inspect
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pypdf
import pytest
from tests.api.client import Client
from tests.support.world import Org, World

import bursar
from bursar.api import hosted, hosted_states
from bursar.api.hosted_links import own_hosted_url
from bursar.api.hosted_states import REASONS
from bursar.api.hosted_words import TRANSLATIONS
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.domain.invoices import Invoice
from bursar.domain.mails import MailKind
from bursar.domain.money import Money
from bursar.domain.payments import PaymentMode
from bursar.runtime.tokens import HostedLink, print_hosted_token

TEMPLATES = Path(bursar.__file__).parent / "api" / "templates"
SENTENCE = re.compile(r"[A-Z][A-Za-z ,;:'?-]+[.?]( [A-Z].*)?")
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


def path_of(org: Org, invoice: Invoice) -> str:
    url = own_hosted_url(org.caller, invoice)
    assert url is not None
    return urlsplit(url).path


class Page(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data + " "

    def first(self, tag: str) -> dict[str, str | None] | None:
        return next((attrs for name, attrs in self.tags if name == tag), None)


async def show(anyone: Client, path: str) -> Page:
    answer = await anyone.get(path)
    assert answer.status == 200
    return Page(answer.body.decode())


async def test_amount_and_due_date_first(anyone: Client, org: Org) -> None:
    # The first thing said is how much and until when; then comes one button.
    invoice = await org.invoice(await org.customer(), 120_400)
    answer = await anyone.get(path_of(org, invoice))
    page = Page(answer.body.decode())
    heading = re.search(r"<h1>(.*?)</h1>", answer.body.decode())
    assert heading is not None
    assert heading[1].startswith("1,204.00 USD due ")
    form = page.first("form")
    assert form == {"method": "post", "action": f"{path_of(org, invoice)}/pay"}
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


async def test_nothing_from_anywhere_else(anyone: Client, org: Org) -> None:
    # No script, no inline style, no request but for the stylesheet of this very host.
    invoice = await org.invoice(await org.customer())
    answer = await anyone.get(path_of(org, invoice))
    page = Page(answer.body.decode())
    assert not {"script", "iframe", "object", "style", "img"} & {tag for tag, _ in page.tags}
    for tag, attrs in page.tags:
        assert "style" not in attrs
        assert not any(name.startswith("on") for name in attrs)
        for name in ("href", "src", "action"):
            place = attrs.get(name) or "/"
            assert place.startswith("/") or (tag, place) == ("link", "data:,")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    styles = next(
        attrs["href"] for tag, attrs in page.tags if tag == "link" and attrs["rel"] == "stylesheet"
    )
    assert styles is not None
    sheet = await anyone.get(styles)
    assert (sheet.status, sheet.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in sheet.headers["cache-control"]
    assert b"@import" not in sheet.body
    assert b"url(" not in sheet.body


async def test_a_paid_story(anyone: Client, org: Org, world: World) -> None:
    # Two clicks lead to one page of the provider; the way back tells the truth at each step.
    invoice = await org.invoice(await org.customer(None))
    path = path_of(org, invoice)
    first = await anyone.ask("POST", f"{path}/pay")
    second = await anyone.ask("POST", f"{path}/pay")
    assert (first.status, second.status) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert "Continue to pay" in (await show(anyone, path)).text

    back = world.type_card(first.headers["location"])
    assert urlsplit(back).path == path
    returned = await show(anyone, f"{path}?{urlsplit(back).query}")
    assert "being confirmed" in returned.text
    assert any(attrs.get("http-equiv") == "refresh" for tag, attrs in returned.tags)

    await world.drain()
    paid = await show(anyone, path)
    assert "paid in full" in paid.text
    assert paid.first("form") is None
    again = await anyone.ask("POST", f"{path}/pay")
    assert (again.status, again.headers["location"]) == (303, path)


async def test_a_declined_card_says_why(anyone: Client, org: Org) -> None:
    # The reason is told in plain words, with the way to try again.
    invoice = await org.invoice(await org.customer("pm_card_chargeCustomerFail"))
    payment = await org.pay(invoice.id, PaymentMode.CHARGE)
    assert payment.failure_message
    page = await show(anyone, path_of(org, invoice))
    assert "Payment failed" in page.text
    assert "Your card was declined." in page.text
    assert "Try again" in page.text


async def test_a_void_invoice(anyone: Client, owner: Client, org: Org) -> None:
    # What was withdrawn says so and cannot be paid.
    invoice = await org.invoice(await org.customer())
    await owner.post(f"/v1/invoices/{invoice.id}/void")
    page = await show(anyone, path_of(org, invoice))
    assert "withdrawn" in page.text
    assert page.first("form") is None


async def test_the_pdf(anyone: Client, org: Org) -> None:
    # The document itself is one click away, and the same bytes each time.
    invoice = await org.invoice(await org.customer())
    first = await anyone.get(f"{path_of(org, invoice)}/pdf")
    second = await anyone.get(f"{path_of(org, invoice)}/pdf")
    assert first.headers["content-type"] == "application/pdf"
    assert first.headers["content-disposition"].endswith('.pdf"')
    assert first.body == second.body


async def test_links_that_do_not_work(anyone: Client, org: Org) -> None:
    # Altered, revoked, foreign, of a draft, or nothing at all: one and the same page.
    invoice = await org.invoice(await org.customer())
    draft = await org.draft(await org.customer(None))
    token = path_of(org, invoice).removeprefix("/i/")
    keys, org_id = org.caller.app.keys, uuid_of(org.id)
    wrong = [
        "x",
        "a" * 3000,
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token[:20],
        print_hosted_token(keys, HostedLink(org_id, uuid_of(invoice.id), 2)),
        print_hosted_token(keys, HostedLink(org_id, uuid_of(draft.id), 1)),
        print_hosted_token(keys, HostedLink(uuid_of(invoice.id), uuid_of(invoice.id), 1)),
    ]
    pages = set()
    for text in wrong:
        for method, suffix in (("GET", ""), ("GET", "/pdf"), ("POST", "/pay")):
            answer = await anyone.ask(method, f"/i/{text}{suffix}")
            assert answer.status == 404, text
            request_id = answer.headers["x-request-id"].encode()
            pages.add(answer.body.replace(request_id, b""))
    assert len(pages) == 1


async def test_nothing_in_a_text_comes_alive(anyone: Client, owner: Client) -> None:
    # Whatever stands in a name, a line or a note is shown letter for letter.
    customer = await owner.post("/v1/customers", {"email": "e@example.com", "name": EVIL})
    assert customer.status == 201, customer.body
    draft = await owner.post(
        "/v1/invoices",
        {
            "customerId": customer.value["id"],
            "lines": [{"description": EVIL, "unitAmountCents": 100}],
            "memo": EVIL,
        },
    )
    final = await owner.post(f"/v1/invoices/{draft.value['id']}/finalize")
    page = await show(anyone, urlsplit(final.value["hostedInvoiceUrl"]).path)
    assert page.text.count(EVIL) >= 3
    assert not {"script", "img"} & {tag for tag, _ in page.tags}


@pytest.mark.parametrize("number", ["4000000000000002", "4000000000009995"])
async def test_a_decline_on_the_providers_page(
    number: str, anyone: Client, org: Org, world: World
) -> None:
    # A card refused there is told here as well; the invoice stays payable, by the same page.
    invoice = await org.invoice(await org.customer(None))
    path = path_of(org, invoice)
    opened = await anyone.ask("POST", f"{path}/pay")
    world.type_card(opened.headers["location"], number)
    await world.drain()
    page = await show(anyone, path)
    assert page.first("form") is not None
    assert "Payment failed" in page.text
    assert "Try again" in page.text
    again = await anyone.ask("POST", f"{path}/pay")
    assert again.headers["location"] == opened.headers["location"]


async def test_accessible(anyone: Client, org: Org) -> None:
    # The page has a language, a title, one heading, a labelled table and a live status.
    invoice = await org.invoice(await org.customer())
    page = await show(anyone, path_of(org, invoice))
    tags = [tag for tag, _ in page.tags]
    assert page.first("html") == {"lang": "en"}
    assert tags.count("h1") == tags.count("main") == tags.count("title") == 1
    assert "caption" in tags
    assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")
    assert any(attrs.get("role") == "status" for _, attrs in page.tags)


@pytest.mark.parametrize(
    ("header", "lang", "said"),
    [
        ("de-AT, en;q=0.5", "de", ("1.204,00 USD fällig am ", "Jetzt bezahlen")),
        (
            "it, fr;q=0.8, en;q=0.7",
            "fr",
            ("1\u202f204,00 USD à régler avant le ", "Payer maintenant"),
        ),
        ("es", "es", ("1.204,00 USD con vencimiento el ", "Pagar ahora")),
        ("tlh, *;q=0.1", "en", ("1,204.00 USD due ", "Pay now")),
        ("de;q=nonsense,,;", "en", ("1,204.00 USD due ", "Pay now")),
    ],
)
async def test_it_speaks_the_reader_s_language(
    anyone: Client, org: Org, header: str, lang: str, said: tuple[str, str]
) -> None:
    # By what the browser asks for; in the sender's own language when it asks for none of ours.
    invoice = await org.invoice(await org.customer(token=None), 120_400)
    answer = await anyone.get(path_of(org, invoice), accept_language=header)
    text = answer.body.decode()
    assert f'<html lang="{lang}">' in text
    found = re.search(r"<h1>(.*?)</h1>", text)
    assert found is not None
    assert found[1].startswith(said[0])
    assert said[1] in text


def test_every_sentence_is_translated() -> None:
    # What the pages say by themselves is there in each language, and no language says more.
    said = set(REASONS.values())
    for name in ("invoice.html", "ended.html"):
        said |= set(re.findall(r'said\("(.*?)"\)', (TEMPLATES / name).read_text()))
    for module in (hosted, hosted_states):
        nodes = list(ast.walk(ast.parse(inspect.getsource(module))))
        prose = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        texts = {
            node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in prose
        }
        said |= {each for each in texts if isinstance(each, str) and SENTENCE.fullmatch(each)}
        assert said
    said -= {"No such link."}  # the page of a 404 has words of its own
    known = [set(words) for words in TRANSLATIONS.values()]
    assert said - known[0] == set()
    assert all(each == known[0] for each in known)


async def refund(owner: Client, payment_id: str, cents: int | None = None) -> None:
    verb, body = ("refund", {}) if cents is None else ("partial-refund", {"amountCents": cents})
    answer = await owner.post(f"/v1/payments/{payment_id}/{verb}", body)
    assert answer.status == 201, answer.body


async def test_what_was_given_back_is_told(
    anyone: Client, owner: Client, org: Org, world: World
) -> None:
    # First in part, with how much; then all of it. The receipt stays.
    invoice = await org.invoice(await org.customer(), 10_000)
    payment = await org.pay(invoice.id)
    path = path_of(org, invoice)
    await refund(owner, payment.id, 2_500)
    await world.drain()
    page = await show(anyone, path)
    assert "Refunded in part" in page.text
    assert "-25.00 USD" in page.text
    await refund(owner, payment.id, 7_500)
    await world.drain()
    page = await show(anyone, path)
    assert "Your payment was refunded." in page.text
    assert "-100.00 USD" in page.text
    assert (await anyone.get(f"{path}/receipt")).status == 200


async def test_a_receipt(anyone: Client, org: Org) -> None:
    # What is paid has one, which says what came and how; what is open has none.
    invoice = await org.invoice(await org.customer())
    path = path_of(org, invoice)
    assert (await anyone.get(f"{path}/receipt")).status == 404
    await org.pay(invoice.id)
    assert f"{path}/receipt" in [attrs.get("href") for _, attrs in (await show(anyone, path)).tags]
    receipt = await anyone.get(f"{path}/receipt")
    assert receipt.headers["content-disposition"].endswith('-receipt.pdf"')
    text = pypdf.PdfReader(io.BytesIO(receipt.body)).pages[0].extract_text()
    for said in ("Receipt", f"For invoice {invoice.number}", "49.99 USD, Card", "PAID"):
        assert said in text


async def test_an_invoice_that_is_late_says_so(anyone: Client, owner: Client, org: Org) -> None:
    # Overdue, then given up: who still wants to pay is told whom to ask.
    await org.freeze()
    invoice = await org.invoice(await org.customer(None))
    path = path_of(org, invoice)
    await org.advance("40 days")
    page = await show(anyone, path)
    assert "The due date has passed." in page.text
    assert page.first("form") is not None
    await owner.post(f"/v1/invoices/{invoice.id}/mark-uncollectible")
    page = await show(anyone, path)
    assert "can no longer be paid here" in page.text
    assert page.first("form") is None


async def test_a_link_that_has_ended_is_renewed_by_mail(
    anyone: Client, org: Org, world: World
) -> None:
    # It shows nothing of the invoice, mails one new link however often it is asked, and stays
    # dead; the new one leads to the page.
    await org.freeze()
    customer = await org.customer(None)
    invoice = await org.invoice(customer)
    old = path_of(org, invoice)
    await org.advance("200 days")
    for path in (old, f"{old}/pdf", f"{old}/xml", f"{old}/receipt"):
        ended = await anyone.get(path)
        assert ended.status == 410
        assert "This link has ended" in ended.body.decode()
        for told in (str(invoice.number), customer.email, "49.99", "Acme"):
            assert told.encode() not in ended.body
    assert (await anyone.ask("POST", f"{old}/pay")).status == 410
    for _ in range(2):
        asked = await anyone.ask("POST", f"{old}/renew")
        assert (asked.status, asked.headers["location"]) == (303, f"{old}?asked=1")
    assert "on its way" in (await anyone.get(f"{old}?asked=1")).body.decode()
    await world.drain()
    letters = [each for each in world.mailbox.letters if each.recipient == customer.email]
    assert [each.kind for each in letters] == [MailKind.NEW_LINK]
    new = f"/i/{letters[0].parameters['token']}"
    assert "Pay now" in (await show(anyone, new)).text
    assert (await anyone.get(old)).status == 410
    assert (await anyone.ask("POST", f"{new}/renew")).headers["location"] == new


async def test_a_revoked_link_shows_nothing(
    anyone: Client, owner: Client, org: Org, world: World
) -> None:
    # Not after a dry run; then every link of before has ended, and only the customer gets another.
    customer = await org.customer(None)
    invoice = await org.invoice(customer)
    old, verb = path_of(org, invoice), f"/v1/invoices/{invoice.id}/revoke-link"
    await owner.post(f"{verb}?dryRun=true")
    assert (await anyone.get(old)).status == 200
    revoked = await owner.post(verb)
    for path in (old, f"{old}/pdf"):
        ended = await anyone.get(path)
        assert (ended.status, str(invoice.number).encode() in ended.body) == (410, False)
    assert (await anyone.ask("POST", f"{old}/pay")).status == 410
    assert (await anyone.get(urlsplit(revoked.value["hostedInvoiceUrl"]).path)).status == 200
    await anyone.ask("POST", f"{old}/renew")
    await world.drain()
    letter = world.mailbox.newest(customer.email, MailKind.NEW_LINK)
    assert revoked.value["hostedInvoiceUrl"].endswith(f"/i/{letter.parameters['token']}")
    draft = await org.draft(customer)
    assert (await owner.post(f"/v1/invoices/{draft.id}/revoke-link")).status == 409


async def test_no_mail_where_none_is_sent(
    anyone: Client, owner: Client, org: Org, world: World
) -> None:
    # The page says the same, no mail leaves, and nothing about the invoice changes.
    await owner.patch("/v1/document-settings", {"sendsMail": False})
    await org.freeze()
    invoice = await org.invoice(await org.customer(None))
    old = path_of(org, invoice)
    await org.advance("200 days")
    before = await owner.get(f"/v1/invoices/{invoice.id}")
    asked = await anyone.ask("POST", f"{old}/renew")
    assert asked.headers["location"] == f"{old}?asked=1"
    assert (await owner.get(f"/v1/invoices/{invoice.id}")).value == before.value
    assert (await owner.get("/v1/emails")).value == []


async def test_a_refusal_speaks_the_reader_s_language(anyone: Client) -> None:
    # A link that leads nowhere says so in German to whoever reads German.
    answer = await anyone.get("/i/nothing", accept_language="de")
    assert answer.status == 404
    assert '<html lang="de">' in answer.body.decode()
    assert "führt nirgendwohin" in answer.body.decode()


async def test_every_reason_is_in_our_words(org: Org) -> None:
    # Whatever the bank calls it, and whatever else it says.
    invoice = await org.invoice(await org.customer("pm_card_chargeCustomerFail"))
    failed = await org.pay(invoice.id, PaymentMode.CHARGE)
    for code, reason in REASONS.items():
        told = replace(failed, failure_code=code, failure_message="DO NOT HONOUR 05")
        state = hosted_states.state_of(invoice, told, failed.refunded, has_returned=False)
        assert (state.label, state.sentence, state.can_pay) == ("Payment failed", reason, True)


async def test_who_paid_after_a_refused_card_waits_for_the_word(org: Org) -> None:
    # The page leads back as returned only who has paid: what it refused before is no news then.
    invoice = await org.invoice(await org.customer())
    begun = await org.pay(invoice.id, PaymentMode.CHECKOUT)
    refused = replace(begun, failure_code="card_declined", failure_message="No.")
    nothing = Money.zero(invoice.currency)
    there = hosted_states.state_of(invoice, refused, nothing, has_returned=False)
    back = hosted_states.state_of(invoice, refused, nothing, has_returned=True)
    assert (there.label, back.label, back.is_refreshing) == ("Payment failed", "Processing", True)


async def test_the_e_invoice_is_there_for_machines(anyone: Client, org: Org) -> None:
    # Behind the same link as the page.
    invoice = await org.invoice(await org.customer(token=None))
    answer = await anyone.get(f"{path_of(org, invoice)}/xml")
    assert answer.headers["content-type"] == "application/xml"
    assert str(invoice.number).encode() in answer.body
