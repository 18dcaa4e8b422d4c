"""The adapter against `localstripe`, an independent fake of Stripe that keeps books of its own.

`make localstripe` installs it into an environment of its own and runs this, which starts it on the
loopback, asks every verb of the port, and holds what came of it against the page in the reference
(`--write` writes that page). It is GPL-3.0: a process beside us, imported by nothing of ours.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp import web
from tests.providers.scripted import (
    AMOUNT,
    ORG,
    PAYMENT,
    SECRET,
    a_charge,
    a_checkout,
    a_customer,
    a_setup,
)
from tests.support import reference
from tests.support.page_parts import table
from tests.support.tree import free_ports

from bursar.domain.frozen import replace
from bursar.domain.ids import RefundId
from bursar.domain.money import Money
from bursar.domain.provider import (
    CheckoutOpened,
    Closed,
    Declined,
    Linked,
    LookupRequest,
    MethodAttached,
    NotFound,
    RefundDone,
    RefundQuestion,
    RefundRequest,
    Succeeded,
    Unknown,
)
from bursar.providers.stripe.client import StripeAccount, StripeProvider

# It listens everywhere, and offers no word against that.
_LAUNCH: Final = """
import runpy, socket, sys
bind = socket.socket.bind
def close_to_home(self, address):
    return bind(self, ("::ffff:127.0.0.1", *address[1:]) if address[0] == "::" else address)
socket.socket.bind = close_to_home
runpy.run_module("localstripe", run_name="__main__", alter_sys=True)
"""
_STARTS_SECONDS: Final = 20
_HEARS_SECONDS: Final = 5
_KEY: Final = "sk_test_localstripe"
_PART: Final = Money(500, AMOUNT.currency)
_CARD: Final = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2034", "cvc": "123"}
_WORKS: Final = "works"
_HEAD: Final = ("asked for", "verb", "what came of it")


@dataclass
class Books:
    """The fake, the adapter that asks it, and what was found so far."""

    url: str
    provider: StripeProvider
    session: aiohttp.ClientSession
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    heard: asyncio.Queue[tuple[bytes, str]] = field(default_factory=asyncio.Queue)

    async def post(self, path: str, **fields: str) -> Any:
        """What the adapter does not ask for, made by hand."""
        bearing = {"Authorization": f"Bearer {_KEY}"}
        async with self.session.post(self.url + path, data=fields, headers=bearing) as answer:
            body = await answer.read()
        assert answer.status == 200, (path, body)
        return msgspec.json.decode(body or b"null")

    def note(self, asked: str, verb: str, answer: object, *, is_good: bool) -> None:
        self.rows.append((asked, f"`{verb}`", _WORKS if is_good else _said(answer)))


def _said(answer: object) -> str:
    match answer:
        case Linked() | RefundDone():
            return "made a second one"
        case Unknown(reason=reason):
            return f"unknown: {reason}"
        case Declined(message=message):
            return f"refused: {message}"
        case _:
            return f"another answer: {type(answer).__name__}"


async def tour(books: Books) -> None:
    """Every verb of the port, in the order of a customer's life."""
    customer = await _customers(books)
    method = await _methods(books, customer)
    await _charges(books, customer, method)
    await _refunds(books, await _paid_by_hand(books, customer, method))
    await _pages(books)
    await _lists(books)
    await _events(books)
    gone = await books.provider.detach_method(method)
    books.note("detach a method", "detach_method", gone, is_good=isinstance(gone, Linked))
    await _nothing_left(books, customer)


async def _nothing_left(books: Books, customer: str) -> None:
    tokens = [await _token(books) for _ in range(2)]
    for token in tokens:
        await books.provider.attach_method(customer, token=token)
    taken = await books.provider.detach_methods(customer)
    found = [await books.provider.find_method(customer, method=token) for token in tokens]
    is_gone = isinstance(taken, Linked) and all(isinstance(each, NotFound) for each in found)
    books.note("detach all methods", "detach_methods", taken, is_good=is_gone)


async def _token(books: Books) -> str:
    card = {f"card[{name}]": value for name, value in _CARD.items()}
    return str((await books.post("/v1/payment_methods", type="card", **card))["id"])


async def _customers(books: Books) -> str:
    provider = books.provider
    made = await provider.ensure_customer(a_customer())
    assert isinstance(made, Linked), made
    books.note("create a customer", "ensure_customer", made, is_good=True)
    again = await provider.ensure_customer(a_customer())
    is_same = again == made
    books.note("create the same one again", "ensure_customer", again, is_good=is_same)
    changed = await provider.ensure_customer(a_customer(reference=made.reference, name="Grace"))
    books.note("change a customer", "ensure_customer", changed, is_good=changed == made)
    return made.reference


async def _methods(books: Books, customer: str) -> str:
    token = await _token(books)
    kept = await books.provider.attach_method(customer, token=token)
    is_good = isinstance(kept, MethodAttached) and kept.face.last4 == "4242"
    books.note("attach a card, with what is shown of it", "attach_method", kept, is_good=is_good)
    proven = await books.provider.set_up_method(a_setup(customer_reference=customer, token=token))
    is_proven = isinstance(proven, MethodAttached)
    books.note("prove a card with its holder", "set_up_method", proven, is_good=is_proven)
    begun = datetime.now(UTC) - timedelta(hours=1)
    seen = await books.provider.setups_since(customer, org_id=ORG, since=begun)
    is_listed = not isinstance(seen, Unknown) and [one.method for one in seen] == [proven]
    books.note("list the setups begun", "setups_since", seen, is_good=is_listed)
    found = await books.provider.find_method(customer, method=token)
    books.note("read a stored card", "find_method", found, is_good=found == kept)
    chosen = await books.provider.choose_method(customer, method=token)
    is_chosen = isinstance(chosen, Linked)
    books.note("choose the default method", "choose_method", chosen, is_good=is_chosen)
    return token


async def _charges(books: Books, customer: str, method: str) -> None:
    request = a_charge(customer_reference=customer, method_reference=method)
    taken = await books.provider.charge(request)
    is_taken = isinstance(taken, Succeeded) and taken.amount == AMOUNT
    books.note("charge a stored card", "charge", taken, is_good=is_taken)
    waiting = await books.post("/v1/payment_intents", amount="2000", currency="usd")
    closed = await books.provider.cancel_charge(waiting["id"])
    books.note("cancel a charge", "cancel_charge", closed, is_good=isinstance(closed, Closed))


async def _paid_by_hand(books: Books, customer: str, method: str) -> str:
    """A payment with our marks, whatever became of the charge that the adapter asked for."""
    marks = {f"metadata[{name}]": mark for name, mark in _marks().items()}
    paid = await books.post(
        "/v1/payment_intents",
        amount=str(AMOUNT.minor),
        currency=AMOUNT.currency,
        customer=customer,
        payment_method=method,
        confirm="true",
        off_session="true",
        **marks,
    )
    intent, provider = str(paid["id"]), books.provider
    question = _question(customer)
    seen = await provider.lookup(replace(question, reference=intent))
    is_seen = isinstance(seen, Succeeded) and seen.amount == AMOUNT
    books.note("look at a payment", "lookup", seen, is_good=is_seen)
    found = await provider.lookup(question)
    books.note("find a payment by our mark", "lookup", found, is_good=isinstance(found, Succeeded))
    owner = await provider.owner_of(intent)
    books.note("whose a payment is", "owner_of", owner, is_good=owner == PAYMENT)
    booked = await provider.booked_charges(ORG)
    is_booked = not isinstance(booked, Unknown) and [one.amount for one in booked] == [AMOUNT]
    books.note("list what an organization took", "booked_charges", booked, is_good=is_booked)
    return intent


async def _refunds(books: Books, intent: str) -> None:
    request = RefundRequest(
        org_id=ORG,
        refund_id=RefundId("rfd_01900000-0000-7000-8000-000000000006"),
        payment_id=PAYMENT,
        payment_reference=intent,
        amount=_PART,
        reason=None,
    )
    given = await books.provider.refund(request)
    is_given = isinstance(given, RefundDone) and given.amount == _PART
    books.note("give a part back", "refund", given, is_good=is_given)
    again = await books.provider.refund(request)
    books.note("the same refund again", "refund", again, is_good=again == given)
    now = datetime.now(UTC)
    reference = getattr(given, "reference", None)
    known = RefundQuestion(resend=request, created_at=now, now=now, reference=reference)
    seen = await books.provider.lookup_refund(known)
    books.note("look at a refund", "lookup_refund", seen, is_good=seen == given)
    late = replace(known, reference=None, created_at=now - timedelta(days=2))
    found = await books.provider.lookup_refund(late)
    is_found = isinstance(found, RefundDone)
    books.note("find a refund by our mark", "lookup_refund", found, is_good=is_found)


async def _pages(books: Books) -> None:
    opened = await books.provider.open_checkout(a_checkout(customer_reference=None))
    is_open = isinstance(opened, CheckoutOpened)
    books.note("open a page to pay on", "open_checkout", opened, is_good=is_open)
    closed = await books.provider.close_checkout("cs_test_1")
    is_closed = isinstance(closed, Closed)
    books.note("close a page to pay on", "close_checkout", closed, is_good=is_closed)


async def _lists(books: Books) -> None:
    provider, since = books.provider, datetime.now(UTC) - timedelta(days=1)
    asked = {
        ("list what moved money", "moves_since"): await provider.moves_since(since),
        ("list payouts", "payouts_since"): await provider.payouts_since(since),
        ("list what a payout is made of", "moves_of_payout"): await provider.moves_of_payout(
            "po_1"
        ),
        ("look at a dispute", "dispute"): await provider.dispute("dp_1"),
    }
    for (text, verb), answer in asked.items():
        books.note(text, verb, answer, is_good=not isinstance(answer, Unknown))


async def _events(books: Books) -> None:
    answer: object = Unknown("nothing was sent")
    with suppress(TimeoutError):
        async with asyncio.timeout(_HEARS_SECONDS):
            body, signature = await books.heard.get()
        answer = books.provider.read_event(body, signature, datetime.now(UTC))
    is_ours = getattr(answer, "payment_id", None) == PAYMENT
    books.note("a signed event of a payment", "read_event", answer, is_good=is_ours)


def _marks() -> dict[str, str]:
    return {"org_id": ORG, "payment_id": PAYMENT, "source": "charge"}


def _question(customer: str) -> LookupRequest:
    now = datetime.now(UTC)
    return LookupRequest(
        org_id=ORG,
        payment_id=PAYMENT,
        amount=AMOUNT,
        created_at=now,
        now=now,
        customer_reference=customer,
    )


def page(rows: list[tuple[str, str, str]]) -> str:
    """What works, and what it does not know."""
    about = (
        "Every verb of the adapter asked of `localstripe`, an independent fake of Stripe that is "
        "run as a process of its own. Payments were made there by hand where it refused ours, so "
        "that what follows a payment is asked too. *Unknown* and *refused* are what the adapter "
        "made of an answer; nothing was guessed, and nothing else was let out."
    )
    good = [row for row in rows if row[2] == _WORKS]
    rest = [row for row in rows if row[2] != _WORKS]
    lived = "*Lived and written by `make localstripe`, which compares.*"
    parts = ["# The adapter and localstripe", lived, about, "## Works"]
    parts += [table(_HEAD[:2], [row[:2] for row in good])]
    parts += ["## It does not know", table(_HEAD, rest)]
    return "\n\n".join(parts) + "\n"


@asynccontextmanager
async def running(python: Path) -> AsyncIterator[Books]:
    """The fake on the loopback, ended when this ends."""
    port, hook_port = free_ports()
    url = f"http://127.0.0.1:{port}"
    command = (str(python), "-c", _LAUNCH, "--port", str(port), "--from-scratch")
    quiet = asyncio.subprocess.DEVNULL
    fake = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    provider = StripeProvider(StripeAccount("stripe", _KEY, (SECRET,), api_url=url))
    try:
        async with aiohttp.ClientSession() as session:
            books = Books(url, provider, session)
            await _until_it_answers(books)
            async with _listening(books, hook_port):
                yield books
    finally:
        await provider.aclose()
        fake.terminate()
        await fake.wait()


async def _until_it_answers(books: Books) -> None:
    async with asyncio.timeout(_STARTS_SECONDS):
        while True:
            with suppress(aiohttp.ClientError):
                async with books.session.get(books.url):
                    return
            await asyncio.sleep(0.1)


@asynccontextmanager
async def _listening(books: Books, port: int) -> AsyncIterator[None]:
    async def hear(request: web.Request) -> web.Response:
        books.heard.put_nowait((await request.read(), request.headers["Stripe-Signature"]))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    hook = {"url": f"http://127.0.0.1:{port}/", "secret": SECRET}
    hook["events[0]"] = "payment_intent.succeeded"
    try:
        await books.post("/_config/webhooks/ours", **hook)
        yield
    finally:
        await runner.cleanup()


async def _toured(python: Path) -> str:
    async with running(python) as books:
        await tour(books)
    return page(books.rows)


def main() -> int:
    """Tour, tell, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", type=Path, help="the interpreter that has localstripe")
    parser.add_argument("--write", action="store_true", help="write the page")
    asked = parser.parse_args()
    lived = asyncio.run(_toured(asked.python))
    sys.stdout.write(lived)
    kept = reference.FOLDER / reference.LOCALSTRIPE
    if asked.write:
        kept.write_text(lived)
        return 0
    if lived == kept.read_text():
        return 0
    sys.stderr.write(
        f"{kept} says something else; if this is right: make localstripe ARGS=--write\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
