"""The worked examples of the documentation, computed: what a reader checks by hand is true."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.domain.nouns import USD

from bursar.domain.ids import PriceId
from bursar.domain.pricing import PriceTerms, PricingModel, Tier, price

DOCS = Path(__file__).parents[2] / "docs" / "domain"


def table(page: str, *header: str) -> Iterator[tuple[str, ...]]:
    """The rows of the one table of a page that has this header."""
    lines = (DOCS / page).read_text("utf-8").splitlines()
    at = lines.index("| " + " | ".join(header) + " |")
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            return
        yield tuple(cell.strip() for cell in line.strip("|").split("|"))


def terms(model: str, text: str) -> PriceTerms:
    if model in {"graduated", "volume"}:
        return PriceTerms(PricingModel(model), tiers=tuple(map(tier, text.split(", "))))
    amount, _, size = text.partition(" per ")
    return PriceTerms(
        PricingModel(model), Decimal(amount), package_size=int(size) if size else None
    )


def tier(text: str) -> Tier:
    up_to, _, price_text = text.partition(": ")
    unit, _, flat = price_text.partition(" + ")
    top = None if up_to == "∞" else int(up_to)
    return Tier(top, Decimal(unit), Decimal(flat or 0))


@pytest.mark.parametrize("row", [*table("plans.md", "model", "price", "quantity", "amount")])
def test_prices_of_plans(row: tuple[str, ...]) -> None:
    # Each line of the page is what the engine computes.
    model, text, quantity, amount = row
    found = price(PriceId("price_1"), terms(model, text)).amount(int(quantity), USD)
    assert found.minor == int(amount)
