"""What `bursar simulate` draws, and how it judges what came of it."""

from collections import Counter

import pytest

from bursar.cli.simulate_disaster import Loss
from bursar.cli.simulate_payments import BAD, GOOD, Card, Played, Script, summed
from bursar.domain.frozen import replace

SEVEN = [
    ("pm_sandbox_processing_1", 40923),
    ("pm_sandbox_processing_1", 1433),
    ("pm_sandbox_processing_1", 45709),
    ("pm_card_mastercard", 27732),
    ("pm_card_mastercard", 10427),
]
VISA, DECLINED = GOOD[0], BAD[0]


def played(card: Card, came: str, status: str, paid_cents: int) -> Played:
    return Played(card, "inv_1", 4_900, came, status, paid_cents, seconds=0.2)


def drawn(script: Script) -> list[tuple[str, int]]:
    draws = map(script.draw, range(script.count))
    return [(draw.card.token, draw.amount_cents) for draw in draws]


def test_a_seed_draws_the_same_everywhere() -> None:
    # Whoever is told the seed sees the same cards and amounts, today and on another machine.
    script = Script(count=5, success=70, seed=7)
    assert drawn(script) == SEVEN
    assert drawn(replace(script, seed=8)) != SEVEN


@pytest.mark.parametrize("success", [0, 30, 70, 100])
def test_as_many_succeed_as_wanted(success: int) -> None:
    # Of a thousand within a few in a hundred, and of none or all exactly; each card is drawn.
    script = Script(count=1_000, success=success, seed=1)
    cards = Counter(script.draw(number).card for number in range(1_000))
    good = sum(cards[card] for card in GOOD)
    assert abs(good - 10 * success) <= (40 if 0 < success < 100 else 0)
    assert set(cards) == {*(GOOD if success else ()), *(BAD if success < 100 else ())}


def test_a_payment_is_judged_with_its_invoice() -> None:
    # Success pays the whole invoice, a decline leaves it open for its own reason; else it is told.
    assert played(VISA, "succeeded", "paid", 4_900).is_as_meant
    assert played(DECLINED, "insufficient_funds", "open", 0).is_as_meant
    for wrong in (
        played(VISA, "succeeded", "open", 0),
        played(VISA, "succeeded", "paid", 4_899),
        played(VISA, "still unknown", "paid", 4_900),
        played(DECLINED, "do_not_honor", "open", 0),
        played(DECLINED, "insufficient_funds", "paid", 4_900),
    ):
        assert not wrong.is_as_meant, wrong
        (row,) = [each.row() for each in summed([wrong])]
        assert (row["payments"], row["asMeant"]) == (1, 0)


def test_a_loss_is_good_only_when_all_is() -> None:
    # One customer missing, books that disagree, or a write too late: each is a problem by itself.
    well = Loss(1, 10, (), 2.0, is_verified=True, is_in_time=True)
    assert well.row()["verdict"] == "ok"
    for bad in (
        replace(well, lost=("cust_1",)),
        replace(well, is_verified=False),
        replace(well, is_in_time=False),
    ):
        assert (bad.is_good, bad.row()["verdict"]) == (False, "PROBLEM")
