"""What a series is called: by organization or customer, kind and year."""

from datetime import UTC, datetime

import pytest

from bursar.domain.numbering import Numbered, Numbering, NumberScope

NEW_YEAR = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)  # half past midnight in Berlin


@pytest.mark.parametrize(
    ("scope", "is_yearly", "kind", "place", "series"),
    [
        (NumberScope.ORGANIZATION, True, Numbered.INVOICE, None, "INV-2027"),
        (NumberScope.ORGANIZATION, False, Numbered.INVOICE, None, "INV"),
        (NumberScope.ORGANIZATION, True, Numbered.CREDIT_NOTE, None, "INV-CN-2027"),
        (NumberScope.CUSTOMER, True, Numbered.INVOICE, 42, "INV-C0042-2027"),
        (NumberScope.CUSTOMER, False, Numbered.CREDIT_NOTE, 10_000, "INV-C10000-CN"),
    ],
)
def test_a_series_is_called_by_what_it_is_of(
    scope: NumberScope, is_yearly: bool, kind: Numbered, place: int | None, series: str
) -> None:
    # The year is that of the organization's own calendar.
    numbering = Numbering("INV", scope, is_yearly, "Europe/Berlin")
    assert numbering.series(kind, NEW_YEAR, place=place) == series
