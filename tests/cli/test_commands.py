"""The nouns at the terminal: the same verbs as the API, with formats, words and exit codes."""

import csv
import io
import os
import pwd
from pathlib import Path

import pytest
from tests.cli.conftest import Terminal
from tests.support.world import PASSWORD, World

from bursar.cli.failing import Exit
from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import InvoiceStatus
from bursar.flows.sign_in import SignIn, SignUp, sign_in, sign_up
from bursar.reads.invoices import invoice as invoice_look
from bursar.runtime.ids import new_uuid

USER = pwd.getpwuid(os.geteuid()).pw_name


async def test_every_format_tells_the_same(terminal: Terminal, world: World) -> None:
    # Table, JSON, JSON lines and CSV show the same customers in the same order.
    org = await world.org()
    made = [(await org.customer(token=None)).id for _ in range(3)]
    listing = ("customer", "list", "--org", org.id)
    as_json = await terminal.run(*listing)
    lines = await terminal.run(*listing, "--format", "jsonl")
    as_csv = await terminal.run(*listing, "--format", "csv")
    table = await terminal.run(*listing, "--format", "table")
    ids = [each["id"] for each in as_json.value]
    assert ids == list(reversed(made))
    assert [line.partition('"id":"')[2][:41] for line in lines.text.splitlines()] == ids
    assert [row["id"] for row in csv.DictReader(io.StringIO(as_csv.text))] == ids
    assert [line.split()[0] for line in table.text.splitlines()[1:]] == ids
    assert as_json.err == ""
    assert "\x1b" not in table.text


async def test_a_list_goes_beyond_one_page_and_stops_at_the_limit(
    terminal: Terminal, world: World
) -> None:
    # The audit log of a busy organization is longer than a page of the API.
    org = await world.org()
    for _ in range(36):
        await org.draft(await org.customer(token=None))
    listing = ("audit", "query", "--org", org.id, "--format", "jsonl", "--limit")
    everything = (await terminal.run(*listing, "5000")).text.splitlines()
    assert len(everything) > 100
    assert len(set(everything)) == len(everything)
    assert (await terminal.run(*listing, "103")).text.splitlines() == everything[:103]


async def test_a_change_names_who_made_it_and_why(terminal: Terminal, world: World) -> None:
    # The audit log says cli:<user> and the reason, and the processor knows the customer.
    org = await world.org()
    made = await terminal.run(
        *("customer", "create", "--org", org.id, "--email", "a@example.com", "--name", "Ada"),
        *("--reason", "asked by phone"),
    )
    assert made.code == Exit.DONE
    assert made.value["stripeCustomerId"].startswith("cus_")
    told = await terminal.run("audit", "query", "--org", org.id, "--action", "customer.created")
    (entry,) = told.value
    assert (entry["actor"], entry["reason"]) == (f"cli:{USER}", "asked by phone")


async def test_the_audit_log_is_asked_by_kind_and_time(terminal: Terminal, world: World) -> None:
    # Each filter by itself leaves out what it should, and together they agree.
    org = await world.org()
    await org.draft(await org.customer(token=None))
    asked = ("audit", "query", "--org", org.id, "--limit", "100")
    everything = (await terminal.run(*asked)).value
    kinds = {entry["resourceType"] for entry in everything}
    assert kinds >= {"customer", "invoice", "organization"}
    invoices = (await terminal.run(*asked, "--resource-type", "invoice")).value
    assert invoices == [each for each in everything if each["resourceType"] == "invoice"]
    (first, *_) = invoices
    named = (await terminal.run(*asked, "--resource", first["resourceId"])).value
    assert {each["resourceId"] for each in named} == {first["resourceId"]}
    lived = ("--since", "2020-01-01", "--until", "2100-01-01")
    assert (await terminal.run(*asked, *lived)).value == everything
    assert (await terminal.run(*asked, "--until", "2020-01-01")).value == []
    assert (await terminal.run(*asked, "--since", "2100-01-01")).value == []


async def test_an_invoice_from_draft_to_void(
    terminal: Terminal, world: World, tmp_path: Path
) -> None:
    # Finalize, look, print and void end where the API would; a dry run changes nothing.
    org = await world.org()
    draft = await org.draft(await org.customer(token=None))
    of = ("--org", org.id)
    assessed = await terminal.run("invoice", "assess-taxes", draft.id, *of)
    assert (assessed.value["status"], assessed.value["taxAmountCents"]) == ("draft", 0)
    assert (await terminal.run("invoice", "finalize", draft.id, *of)).value["status"] == "open"
    path = tmp_path / "x.pdf"
    printed = await terminal.run("invoice", "pdf", draft.id, "--to", str(path), *of)
    assert path.read_bytes().startswith(b"%PDF")
    assert str(path) in printed.err
    to_pipe = await terminal.run("invoice", "pdf", draft.id, "--to", "-", *of)
    assert to_pipe.out == path.read_bytes()
    revoked = await terminal.run("invoice", "revoke-link", draft.id, *of)
    assert revoked.value["status"] == "open"
    dry = await terminal.run("invoice", "void", draft.id, "--dry-run", *of)
    assert dry.value["status"] == "void"
    found = await org.caller.look(invoice_look, InvoiceId(draft.id))
    assert found.status is InvoiceStatus.OPEN
    assert (await terminal.run("invoice", "void", draft.id, "--yes", *of)).value["status"] == "void"
    again = await terminal.run("invoice", "duplicate", draft.id, *of)
    assert (again.value["status"], again.value["totalCents"]) == ("draft", draft.total.minor)
    shown = await terminal.run("invoice", "list", "--status", "void", *of)
    assert [each["id"] for each in shown.value] == [draft.id]


async def test_taxes_notes_and_whoever_comes_from_elsewhere(
    terminal: Terminal, world: World, tmp_path: Path
) -> None:
    # A rate comes and goes; an invoice is taken back; a file is tried, taken, and taken once.
    org = await world.org()
    of = ("--org", org.id)
    made = await terminal.run("tax-rate", "create", "--name", "VAT", "--percentage", "19", *of)
    gone = await terminal.run("tax-rate", "archive", made.value["id"], "--yes", *of)
    assert (gone.value["percentage"], gone.value["status"]) == ("19", "archived")
    invoice = await org.invoice(await org.customer(token=None))
    part = ("--amount", "1000", "--yes")
    note = await terminal.run("credit-note", "create", invoice.id, *part, *of)
    listed = await terminal.run("credit-note", "list", "--invoice", invoice.id, *of)
    assert [each["id"] for each in listed.value] == [note.value["id"]]
    file = tmp_path / "customers.csv"
    rows = "".join(f"R-{n},r{n}@example.com,R{n}\n" for n in range(101))
    file.write_text(f"reference,email,name\n{rows}X,nobody,X\n")
    for more, words in (
        (("--dry-run",), "101 created, 0 there already, 1 refused"),
        ((), "101 created, 0 there already, 1 refused"),
        ((), "0 created, 101 there already, 1 refused"),
    ):
        told = await terminal.run("import", "customers", str(file), *more, *of)
        assert words in told.err
        assert [(each["row"], each["field"]) for each in told.value] == [(102, "email")]


async def test_an_api_key_works_until_it_is_revoked(terminal: Terminal, world: World) -> None:
    # The key is on stdout once, the warning on stderr; a list never shows it.
    org = await world.org()
    of = ("--org", org.id)
    made = await terminal.run("apikey", "create", "--name", "till", "--scope", "billing:read", *of)
    assert made.value["key"].startswith("bsk_")
    assert "once" in made.err
    listed = await terminal.run("apikey", "list", *of)
    assert made.value["key"] not in listed.text
    revoked = await terminal.run("apikey", "revoke", made.value["id"], "--yes", *of)
    assert revoked.value["revokedAt"] is not None
    unknown = await terminal.run("apikey", "create", "--name", "x", "--scope", "root", *of)
    assert unknown.code == Exit.INVALID


async def test_a_webhook_endpoint_comes_and_goes(terminal: Terminal, world: World) -> None:
    # The secret is shown once; deleting needs a yes where nobody can be asked.
    org = await world.org()
    of = ("--org", org.id)
    made = await terminal.run("webhook", "create", "--url", "http://127.0.0.1:9009/x", *of)
    assert made.value["secret"].startswith("whsec_")
    changing = ("webhook", "update", made.value["id"], "--no-body-signature", *of)
    assert (await terminal.run(*changing)).value["hasBodySignature"] is False
    refused = await terminal.run("webhook", "delete", made.value["id"], *of)
    assert refused.code == Exit.USAGE
    assert (await terminal.run("webhook", "delete", made.value["id"], "--yes", *of)).code == 0
    assert (await terminal.run("webhook", "list", *of)).value == []


async def test_payments_events_and_books_are_shown(terminal: Terminal, world: World) -> None:
    # What a charge left behind is found from every side, and the trial balance sums to zero.
    org = await world.org()
    invoice = await org.invoice(await org.customer(), cents=4999)
    payment = await org.pay(invoice.id)
    of = ("--org", org.id)
    listed = await terminal.run("payment", "list", "--invoice", invoice.id, *of)
    assert [each["id"] for each in listed.value] == [payment.id]
    shown = await terminal.run("payment", "show", payment.id, *of)
    assert shown.value["status"] == "succeeded"
    fed = await terminal.run("event", "list", "--type", "invoice.paid", *of)
    assert [each["data"]["id"] for each in fed.value] == [invoice.id]
    (balance,) = (await terminal.run("report", "trial-balance", "--format", "json", *of)).value
    assert balance["isBalanced"]
    assert balance["debitCents"] == balance["creditCents"] == 4999
    assert (await terminal.run("report", "trial-balance", *of)).value == [balance]
    table = await terminal.run("report", "trial-balance", "--format", "table", *of)
    assert "49.99 USD" in table.text


async def test_refusals_have_exit_codes(terminal: Terminal, world: World) -> None:
    # Not found 3, conflict 5, invalid 6, usage 2; each with one line on stderr and no data.
    org = await world.org()
    paid = await org.invoice(await org.customer())
    await org.pay(paid.id)
    nobody = "org_0190a000-0000-7000-8000-000000000000"
    unknown = "inv_0190a000-0000-7000-8000-000000000000"
    expected = {
        ("org", "show", "--org", nobody): Exit.NOT_FOUND,
        ("invoice", "show", unknown, "--org", org.id): Exit.NOT_FOUND,
        ("invoice", "void", paid.id, "--yes", "--org", org.id): Exit.CONFLICT,
        ("invoice", "show", "inv_1", "--org", org.id): Exit.INVALID,
        ("audit", "query", "--resource", "inv_1", "--org", org.id): Exit.INVALID,
        ("event", "list", "--after", "evt", "--org", org.id): Exit.INVALID,
        ("invoice", "void", paid.id, "--org", org.id): Exit.USAGE,
        ("queue", "retry", "999999999"): Exit.NOT_FOUND,
        ("queue", "discard", "999999999", "--yes"): Exit.NOT_FOUND,
    }
    for arguments, code in expected.items():
        said = await terminal.run(*arguments)
        assert (said.code, said.out) == (code, b""), arguments
        assert said.err.startswith("bursar: ")
        assert said.err.count("\n") == 1


async def test_without_an_organization_the_only_one_is_meant(
    terminal: Terminal, world: World
) -> None:
    # With several there is no guessing: usage, and a word about --org.
    await world.org()
    await world.org()
    said = await terminal.run("invoice", "list")
    assert said.code == Exit.USAGE
    assert "--org" in said.err


@pytest.mark.parametrize("arguments", [("invoice", "fly"), ("invoice", "list", "--limit", "0")])
async def test_nonsense_is_usage(terminal: Terminal, arguments: tuple[str, ...]) -> None:
    # What the command line does not know ends with 2, as everywhere.
    assert (await terminal.run(*arguments)).code == Exit.USAGE


async def test_settings_hide_their_secrets(terminal: Terminal, world: World) -> None:
    # Every variable is listed with its meaning; no secret is in the output.
    said = await terminal.run("config", "show")
    by_name = {each["name"]: each["value"] for each in said.value}
    assert by_name["APP_ENV"] == "test"
    assert by_name["SECRET_KEY"] == "***"
    assert world.house.settings.secret_key.reveal() not in said.text


async def test_queues_are_listed(terminal: Terminal) -> None:
    # All five, also the empty ones.
    said = await terminal.run("queue", "list")
    names = {each["queue"] for each in said.value}
    assert names == {"notifications", "invoices", "payments", "integrations", "usage"}
    assert (await terminal.run("queue", "list", "--held")).code == Exit.DONE


async def test_the_mail_of_a_person_is_read_at_the_terminal(
    terminal: Terminal, world: World
) -> None:
    # With its link, until it has left; an address nobody has is not found.
    email = f"{new_uuid().hex}@example.com"
    await sign_up(world.system(None), SignUp(email, "Ann", PASSWORD))
    (mail,) = (await terminal.run("mail", "list", "--person", email.upper())).value
    assert (mail["kind"], mail["recipient"], mail["status"]) == ("verify_address", email, "pending")
    shown = await terminal.run("mail", "show", mail["id"], "--person", email)
    assert "/account/verify/bsm_" in shown.text
    await world.drain()
    gone = await terminal.run("mail", "show", mail["id"], "--person", email)
    assert gone.code == Exit.NOT_FOUND
    nobody = await terminal.run("mail", "list", "--person", "x@example.com")
    assert nobody.code == Exit.NOT_FOUND


async def test_the_history_of_an_account_is_told_at_the_terminal(
    terminal: Terminal, world: World
) -> None:
    # Who did what, newest first; it holds no secret.
    email = f"{new_uuid().hex}@example.com"
    await sign_up(world.system(None), SignUp(email, "Ann", PASSWORD))
    await sign_in(world.system(None), SignIn(email=email, password=PASSWORD))
    told = await terminal.run("audit", "person", email)
    assert [each["action"] for each in told.value] == ["auth.signed_in", "auth.registered"]
    assert PASSWORD not in told.text


async def test_payment_methods_come_and_go(terminal: Terminal, world: World) -> None:
    # Attached, listed with its face, chosen, detached; a refused card is a conflict.
    org = await world.org()
    customer = await org.customer(None)
    attach = ("payment-method", "attach", customer.id, "--org", org.id)
    made = await terminal.run(*attach, "pm_card_visa")
    assert (made.code, made.value["last4"]) == (Exit.DONE, "4242")
    spare = await terminal.run(*attach, "pm_card_mastercard", "--no-default")
    named = (spare.value["id"], "--org", org.id)
    assert (await terminal.run("payment-method", "set-default", *named)).code == Exit.DONE
    assert (await terminal.run("payment-method", "detach", *named, "--yes")).code == Exit.DONE
    listed = await terminal.run("payment-method", "list", "--org", org.id)
    assert [each["id"] for each in listed.value] == [made.value["id"]]
    refused = await terminal.run(*attach, "pm_card_chargeDeclinedExpiredCard")
    assert refused.code == Exit.CONFLICT
    proven = ("payment-method", "set-up", customer.id, "pm_card_authenticationRequired")
    waits = await terminal.run(*proven, "--org", org.id)
    assert (waits.code, waits.value["status"]) == (Exit.DONE, "requires_action")
    assert waits.value["nextActionUrl"]
