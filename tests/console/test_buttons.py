"""Buttons: who sees them, what they say first, and that pressing one does it once."""

from decimal import Decimal
from typing import Any

import pytest
from tests.api.client import Client
from tests.console.browser import OWN, read, signed_in, text_of
from tests.console.conftest import Stage
from tests.support.world import World

from bursar.console.nouns.every import NOUNS
from bursar.console.nouns.house import VIEWS
from bursar.console.nouns.shape import Deed, Noun
from bursar.domain.access import ROLE_PERMISSIONS, Role
from bursar.domain.drafting import NewDiscount, NewLine
from bursar.domain.ids import InvoiceId
from bursar.operations.invoices import CreateInvoice, create_invoice
from bursar.operations.tax_rates import CreateTaxRate, create_tax_rate

DEEDS = [(noun, deed) for noun in NOUNS for deed in (*noun.deeds, *noun.makes)]


def _place(noun: Noun, deed: Deed, stage: Stage) -> str:
    if deed in noun.makes or noun.is_single:
        return f"/{noun.slug}/-/{deed.slug}"
    return f"/{noun.slug}/{stage.thing(noun)}/{deed.slug}"


@pytest.mark.parametrize(("noun", "deed"), DEEDS, ids=lambda each: each.slug)
async def test_buttons_by_role(noun: Noun, deed: Deed, stage: Stage) -> None:
    # A button is hidden from, and refused to, exactly the roles that its route refuses.
    place = _place(noun, deed, stage)
    for role in Role if noun.slug != "dunning" else ():
        may = deed.needs in ROLE_PERMISSIONS[role]
        browser = stage.browsers[role]
        opened = await browser.see(place)
        there = 200 if deed in noun.makes or stage.has(noun) else 404
        assert opened.status == (there if may else 403), text_of(opened)
        if not may:
            typed = {"_token": browser.token, "_reason": "x"}
            pressed = await browser.post(f"/console/{stage.org.id}{place}", typed, **OWN)
            assert pressed.status == 403


@pytest.mark.parametrize("noun", [noun for noun in NOUNS if noun.rows], ids=lambda noun: noun.slug)
async def test_viewers_see_no_buttons(noun: Noun, stage: Stage) -> None:
    # Whoever may only look is offered nothing else.
    shown = read(await stage.browsers[Role.VIEWER].see(f"/{noun.slug}"))
    allowed = ROLE_PERMISSIONS[Role.VIEWER]
    offered = [
        deed
        for deed in noun.makes
        if any(f"/{noun.slug}/-/{deed.slug}" in each for each in shown.links)
    ]
    assert offered == [deed for deed in noun.makes if deed.needs in allowed]
    assert not offered or noun is VIEWS, "their own views are all that they make"


async def _invoice(stage: Stage, invoice_id: str) -> Any:
    token = {"authorization": f"Bearer {stage.org.access_token}", "x_org_id": stage.org.id}
    return (await stage.owner.client.get(f"/v1/invoices/{invoice_id}", **token)).value


async def test_create_finalize_refund(stage: Stage) -> None:
    # From nothing to money given back, by pages alone.
    owner = stage.owner
    customer = await stage.org.customer()
    made = await owner.press(
        f"/customers/{customer.id}/invoice",
        **{"lines.0.description": "Work", "lines.0.quantity": "2", "lines.0.unit": "24.50"},
    )
    assert made.status == 303, text_of(made)
    invoice_id = made.headers["location"].rpartition("/")[2]
    place = f"/invoices/{invoice_id}"
    preview = await owner.press(f"{place}/finalize", _step="preview")
    assert "Nothing has happened yet" in text_of(preview)
    assert (await _invoice(stage, invoice_id))["status"] == "draft"
    done = await owner.press(f"{place}/finalize")
    assert (done.status, (await _invoice(stage, invoice_id))["totalCents"]) == (303, 4900)
    await stage.org.pay(InvoiceId(invoice_id))
    shown = await owner.see(place)
    payment = next(link for link in read(shown).links if "/payments/pay_" in link)
    refund = f"/payments/{payment.rpartition('/')[2]}/refund-part"
    unsaid = await owner.press(refund, amountCents="9.00")
    assert (unsaid.status, "say why" in text_of(unsaid)) == (400, True)
    told = await owner.press(refund, amountCents="9.00", _reason="a gift")
    assert told.headers["location"].startswith(f"/console/{stage.org.id}/refunds/rfd_")
    assert "a gift" in text_of(await owner.get(told.headers["location"]))
    log = await owner.see(f"/audit?resourceId={told.headers['location'].rpartition('/')[2]}")
    assert "a gift" in text_of(log)


async def test_pressing_twice(stage: Stage) -> None:
    # The same form sent twice makes one customer: the second answer repeats the first.
    place = f"/console/{stage.org.id}/customers/-/create"
    fields = read(await stage.owner.get(place)).fields
    kept = {name: fields[name] for name in ("_token", "_key")}
    typed = kept | {"email": "twice@example.com", "name": "Twice"}
    first, second = [await stage.owner.post(place, typed, **OWN) for _ in range(2)]
    assert (first.status, second.status) == (303, 303)
    assert first.headers["location"] == second.headers["location"]


async def test_faults_stand_by_their_fields(stage: Stage) -> None:
    # What was typed wrong is said beside it, and what was typed stays.
    answer = await stage.owner.press("/customers/-/create", email="no address", name="Ada & Bob")
    page = read(answer)
    assert (answer.status, page.fields["name"]) == (400, "Ada & Bob")
    assert "expected an e-mail address" in text_of(answer)
    assert "aria-invalid" in page.attributes


@pytest.mark.parametrize("typed", ["abc", "1e999", "NaN", "1.005", "-", "9" * 40])
async def test_amounts_are_read_strictly(typed: str, stage: Stage) -> None:
    # What is no amount of the currency is said to be none, and nothing breaks.
    wallet = stage.things.by_prefix["wal"]
    answer = await stage.owner.press(
        f"/wallets/{wallet}/withdraw", amountCents=typed, _reason="why", _step="preview"
    )
    assert answer.status == 400, text_of(answer)


async def test_secrets_are_shown_once(stage: Stage) -> None:
    # A new key stands on the page that answers, and on no other.
    told = await stage.owner.press("/api-keys/-/create", name="CI", scopes="billing:read")
    assert told.status == 200
    key = next(word for word in text_of(told).split() if word.startswith("bsk_"))
    assert key not in text_of(await stage.owner.see("/api-keys"))


async def test_files_and_exports(stage: Stage) -> None:
    # A final invoice has its PDF; a list has its CSV; a draft says that it has none.
    customer = await stage.org.customer()
    invoice = await stage.org.invoice(customer)
    pdf = await stage.owner.see(f"/invoices/{invoice.id}/files/pdf")
    assert (pdf.status, pdf.body[:5]) == (200, b"%PDF-")
    csv = await stage.owner.see("/invoices/-/csv")
    assert csv.headers["content-type"].startswith("text/csv")
    why = await stage.owner.see(f"/invoices/{invoice.id}/explain")
    assert "the same to the cent" in text_of(why)


async def test_time_is_stopped(world: World, anyone: Client) -> None:
    # What there is one of has buttons too; a local time counts in the organization's zone.
    org = await world.org()
    owner = signed_in(world.app, anyone, org.access_token, org.id)
    ahead = await owner.press("/test-clock/-/stop", now="2131-01-31T09:30")
    assert (ahead.status, "advance" in text_of(ahead)) == (409, True)
    assert read(ahead).fields["_key"] != "", "what was refused is over: another try has another key"
    stopped = await owner.press("/test-clock/-/stop", now="2024-01-31T09:30")
    assert stopped.headers["location"] == f"/console/{org.id}/test-clock"
    assert "Jan 31, 2024" in text_of(await owner.see("/test-clock"))
    await owner.press("/settings/-/edit", timezone="Asia/Tokyo", name="Acme Tokyo")
    assert "6:30" in text_of(await owner.see("/test-clock"))


async def test_a_draft_is_added_up_while_it_is_typed(stage: Stage) -> None:
    # The figures are those that saving gives; asking for them saves nothing and keeps what stands.
    customer = await stage.org.customer()
    place = f"/customers/{customer.id}/invoice"
    line = {"lines.0.description": "Oak", "lines.0.quantity": "3", "lines.0.unit": "79.99"}
    told = await stage.owner.press(place, _step="totals", **line)
    assert (told.status, read(told).fields["lines.0.unit"]) == (200, "79.99")
    assert "$239.97" in text_of(told)
    assert (await stage.owner.see(f"/invoices?customerId={customer.id}")).body.count(b"inv_") == 0
    odd = await stage.owner.press(place, _step="totals", **line | {"lines.0.unit": "many"})
    assert (odd.status, "No total yet" in text_of(odd)) == (200, True)
    made = await stage.owner.press(place, **line)
    draft = "/invoices/" + made.headers["location"].rpartition("/")[2]
    assert "$239.97" in text_of(await stage.owner.see(f"{draft}/edit"))
    more = await stage.owner.press(f"{draft}/edit", _step="totals", **{"lines.0.quantity": "4"})
    assert "$319.96" in text_of(more)
    assert "$319.96" not in text_of(await stage.owner.see(draft))


async def test_a_line_keeps_what_no_field_asks_for(stage: Stage) -> None:
    # Another quantity changes the quantity: rates and discounts stay, also behind a line removed.
    customer, org = await stage.org.customer(), stage.org
    taxed = CreateTaxRate(name="VAT", percent=Decimal(19), metadata={})
    rate = await org.caller.run(create_tax_rate, taxed)
    off = NewDiscount(name="Friends", percent_off=Decimal(10))
    lines = (
        NewLine("Oak", 1, Decimal(1_000)),
        NewLine("Ash", 1, Decimal(2_000), (rate.id,), (off,)),
    )
    command = CreateInvoice(customer_id=customer.id, lines=lines, metadata={})
    draft = await org.caller.run(create_invoice, command)
    removed = {f"lines.0.{part}": "" for part in ("description", "quantity", "unit")}
    changed = {**removed, "lines.1.quantity": "2"}
    assert (await stage.owner.press(f"/invoices/{draft.id}/edit", **changed)).status == 303
    now = await _invoice(stage, draft.id)
    assert [(line["description"], line["quantity"]) for line in now["lines"]] == [("Ash", 2)]
    assert [tax["taxRateId"] for tax in now["lines"][0]["taxes"]] == [rate.id]
    assert [each["name"] for each in now["lines"][0]["discounts"]] == ["Friends"]
    assert now["totalCents"] == 4_000 * 90 // 100 * 119 // 100


async def test_a_script_is_told_the_figures_alone(stage: Stage) -> None:
    # What asks for a part of the page gets the part; a made-up form is refused all the same.
    customer = await stage.org.customer()
    place = f"/console/{stage.org.id}/customers/{customer.id}/invoice"
    line = {"lines.0.description": "Oak", "lines.0.unit": "5", "customerId": customer.id}
    typed = {"_token": stage.owner.token, "_step": "totals"} | line
    asked = {"hx_request": "true", **OWN}
    told = await stage.owner.post(place, typed, **asked)
    assert (told.status, "$5.00" in text_of(told)) == (200, True)
    assert b"<html" not in told.body
    assert (await stage.owner.post(place, {**typed, "_token": "x"}, **asked)).status == 403
