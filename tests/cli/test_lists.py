"""Lists that the console and the API had alone: coupons, holds, disputes, books, shared views."""

import pytest
from tests.api.people import A_VIEW, things_of
from tests.cli.conftest import Terminal
from tests.support.world import World

from bursar.cli.failing import Exit
from bursar.domain.frozen import replace
from bursar.operations.saved_views import save_view


async def test_one_of_everything_is_listed(terminal: Terminal, world: World) -> None:
    # Each list has the one thing that there is, and what it is narrowed by leaves it in or out.
    org = await world.org()
    known = (await things_of(org)).by_prefix
    listed = {
        ("coupon", "list"): ("cpn", ("--status", "archived")),
        ("wallet", "holds"): ("hld", ("--status", "captured")),
        ("payment", "disputes"): ("dsp", ("--until", "2020-01-01")),
    }
    for words, (prefix, elsewhere) in listed.items():
        found = (await terminal.run(*words, "--org", org.id)).value
        assert known[prefix] in [each["id"] for each in found], words
        narrowed = await terminal.run(*words, *elsewhere, "--org", org.id)
        assert (narrowed.code, narrowed.value) == (Exit.DONE, []), words
    shown = await terminal.run("coupon", "show", known["cpn"], "--org", org.id)
    assert shown.value["id"] == known["cpn"]
    wrong = await terminal.run("coupon", "show", known["hld"], "--org", org.id)
    assert wrong.code == Exit.INVALID


async def test_views_of_others_stay_theirs(terminal: Terminal, world: World) -> None:
    # Whoever sits at a terminal sees what was shared with everybody, and nothing else.
    org = await world.org()
    await org.caller.run(save_view, A_VIEW)
    shared = await org.caller.run(save_view, replace(A_VIEW, name="For all", is_shared=True))
    (found,) = (await terminal.run("saved-view", "list", "--org", org.id)).value
    assert (found["id"], found["own"]) == (shared.id, False)
    narrowed = ("saved-view", "list", "--list", "payments", "--org", org.id)
    assert (await terminal.run(*narrowed)).value == []


async def test_accounts_go_on_page_after_page(
    terminal: Terminal, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However many are read at once, all of them come, by code and each once, up to the limit.
    org = await world.org()
    await org.pay((await org.invoice(await org.customer())).id)
    listing = ("ledger", "accounts", "--org", org.id)
    everything = (await terminal.run(*listing)).value
    codes = [each["code"] for each in everything]
    assert len(codes) > 2
    assert codes == sorted(codes)
    monkeypatch.setattr("bursar.cli.ledger.SIZE_MAX", 1)
    assert (await terminal.run(*listing)).value == everything
    assert (await terminal.run(*listing, "--limit", "2")).value == everything[:2]


async def test_postings_of_one_invoice(terminal: Terminal, world: World) -> None:
    # What an invoice was booked as is found by its id, and each posting sums to zero.
    org = await world.org()
    invoice = await org.invoice(await org.customer(), cents=4999)
    await org.invoice(await org.customer())
    asked = ("ledger", "postings", "--source", invoice.id, "--org", org.id)
    (posting,) = (await terminal.run(*asked)).value
    assert posting["sourceId"] == invoice.id
    assert sum(entry["amountCents"] for entry in posting["entries"]) == 0
    assert {abs(entry["amountCents"]) for entry in posting["entries"]} == {4999}
    elsewhere = await terminal.run(*asked, "--account", "bank")
    assert elsewhere.value == []
