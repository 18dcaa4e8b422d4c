"""The payment journey dies at every named point, and money moves once in every world.

`make crash` runs the whole proof; a short walk through it runs with the other tests.
"""

from typing import Final

import pytest
from tests.flows.crash_lane import Limits, hunt, run_lane
from tests.flows.crash_plan import AnySetting, Setting, TransferSetting
from tests.flows.crash_proof import SEED, bounded, prove
from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Tour, create_customer, delete_customer, run_errand
from tests.planted.planting import names, planted
from tests.support.crash import known_places

LANE_SECONDS: Final = 200.0
SHORT: Final[tuple[AnySetting, ...]] = (
    Setting("charge", "timeout_charged", "twice", "second"),
    Setting("checkout", "paid", "before", "switch"),
    TransferSetting("later", "single", "close"),
)
SHORT_SINGLES: Final = 8


def test_the_points_are_those_of_the_source() -> None:
    # A verb that runs, or a provider that is asked, is a point without anybody naming it.
    points = known_places().points
    assert {
        "pay_invoice.begin_payment.before_commit",
        "pay_invoice.charge.after_send_no_answer",
        "deliver_webhook.send.before_send",
        "receive_event.receive_provider_event.after_commit",
        "draft_invoice.create_invoice.before_commit",
        "dispatch.seal_events.after_commit",
    } <= points
    assert not any("changed" in point for point in points), "who forwards a verb is no place"


async def test_a_short_walk_moves_money_once(stage: Stage) -> None:
    # A lost answer and a rival, a page and its other mode, a transfer whose receiver closes: each
    # dies at its first points, twice.
    for setting in SHORT:
        report = await run_lane(stage, [setting], SEED, Limits(0, 0, SHORT_SINGLES))
        assert report.findings == []
        assert report.strangers == set()
        assert report.singles == min(SHORT_SINGLES, report.themes_known)
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
    with capsys.disabled():
        proof = await prove(bounded(LANE_SECONDS), SEED)
    assert proof.wrong == []
