"""The payment journey dies at every named point, and money moves once in every world.

`make crash` runs the whole proof; a short walk through it runs with the other tests.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from itertools import islice
from typing import Final

import msgspec
import pytest
from tests.flows.crash_lane import Limits, Report, hunt, quiet, run_lane
from tests.flows.crash_plan import Setting
from tests.flows.crash_stage import Stage, open_stage
from tests.flows.crash_tour import Arrange, Tour, create_customer, delete_customer, run_errand
from tests.planted.planting import names, planted
from tests.support.crash import known_places
from tests.support.database import installation

LANES: Final = 2
SEED: Final = 20_261_121
LANE_SECONDS: Final = 250.0
DOUBLES_MIN: Final = 2_000
PROOF_SECONDS_MAX: Final = 1_800
REPLAY: Final = ".venv/bin/python -m tests.flows.crash_lane --story"
SHORT: Final = (
    Setting("charge", "timeout_charged", "twice", "second"),
    Setting("checkout", "paid", "before", "switch"),
)
SHORT_SINGLES: Final = 8


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    """An application with a database of its own: its queue is emptied now and then."""
    with quiet():
        async with installation() as house, open_stage(house) as made:
            yield made


def test_the_points_are_those_of_the_source() -> None:
    # A verb that runs, or a provider that is asked, is a point without anybody naming it.
    points = known_places().points
    assert {
        "pay_invoice.begin_payment.before_commit",
        "pay_invoice.charge.after_send_no_answer",
        "deliver_webhook.send.before_send",
        "provider_hooks.receive_provider_event.after_commit",
        "invoices.create_invoice.before_commit",
        "dispatch.seal_events.after_commit",
    } <= points
    assert not any("changed" in point for point in points), "who forwards a verb is no place"


async def test_a_short_walk_moves_money_once(stage: Stage) -> None:
    # A lost answer and a rival, a page and its other mode: each dies at its first points, twice.
    for setting in SHORT:
        report = await run_lane(stage, [setting], SEED, Limits(0, 0, SHORT_SINGLES))
        assert report.findings == []
        assert report.strangers == set()
        assert report.singles == SHORT_SINGLES
        assert report.crashes >= report.singles + report.doubles


async def test_a_short_walk_finds_the_missing_rejoin(stage: Stage) -> None:
    # Without the lines that let a request rejoin its attempt, a story goes wrong.
    hunted = await hunt(stage, "rejoin_removed", SEED)
    assert hunted.found_by


async def test_a_customer_is_made_once(stage: Stage) -> None:
    # Wherever the request dies, the repetition goes on with the customer that is there.
    tour = Tour()
    await stage.renew()
    await run_errand(stage, tour, create_customer)
    assert tour.findings == []
    assert "create_customer.create_customer.after_commit" in tour.hit


@pytest.mark.parametrize(
    ("bug", "errand"),
    [("customer_made_twice", create_customer), ("deleted_customer_synced", delete_customer)],
)
async def test_the_tour_sees_a_planted_bug(bug: str, errand: Arrange, stage: Stage) -> None:
    # What the tour once found, it finds again.
    assert bug in names("tour")
    tour = Tour()
    await stage.renew()
    with planted(bug):
        await run_errand(stage, tour, errand)
    assert tour.findings
    await stage.renew()


@pytest.mark.proof
async def test_crash_points_proof(capsys: pytest.CaptureFixture[str]) -> None:
    # Every point, every outcome, singly and twice; and every planted bug is seen by the same eyes.
    known = known_places().points
    reports = await asyncio.gather(*(_lane(number) for number in range(LANES)))
    with capsys.disabled():
        _tell(reports, known)
    hit = set().union(*(report.hit for report in reports))
    assert [finding for report in reports for finding in report.findings] == []
    assert known - hit == set()
    assert set().union(*(report.strangers for report in reports)) == set()
    assert all(report.themes == report.themes_known for report in reports)
    assert sum(report.doubles for report in reports) >= DOUBLES_MIN
    hunted = sorted(each.bug for report in reports for each in report.hunted)
    assert hunted == names("crash")


async def _lane(number: int) -> Report:
    """One lane in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.flows.crash_lane", "--lane", str(number), "--lanes", str(LANES)),
        *("--seed", str(SEED), "--seconds", str(LANE_SECONDS)),
        *("--doubles", str(DOUBLES_MIN // LANES)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PROOF_SECONDS_MAX):
            told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert process.returncode == 0, f"lane {number} ended with {process.returncode}"
    return msgspec.json.decode(told, type=Report)


def _tell(reports: list[Report], known: frozenset[str]) -> None:
    """What was done and seen, in lines a person reads."""

    def total(name: str) -> int:
        return sum(getattr(report, name) for report in reports)

    hit = set().union(*(report.hit for report in reports)) & known
    seconds = max(report.seconds for report in reports)
    rate = (total("stories") - total("errands")) / seconds
    print(f"\ncrash points   {len(hit)} hit / {len(known)} known")
    for missed in sorted(known - hit):
        print(f"  never hit    {missed}")
    print(f"point x theme  {total('themes')} died at / {total('themes_known')} passed")
    print(
        f"schedules      {total('stories')} run: {total('clean')} without a crash,"
        f" {total('singles')} of {total('singles_known')} single faults,"
        f" {total('doubles')} double, {total('errands')} errands; {total('crashes')} crashes"
    )
    print(f"speed          {rate:.1f} schedules/s in {seconds:.0f} s on {len(reports)} lanes")
    for report in reports:
        for hunted in report.hunted:
            print(f"planted        {hunted.bug}: found after {hunted.stories} by {hunted.found_by}")
    findings = [finding for report in reports for finding in report.findings]
    print(f"violations     {len(findings)}; seed {SEED}")
    for story, wrong in islice(findings, 20):
        print(f"  {REPLAY} '{story}'", *wrong, sep="\n    ")
