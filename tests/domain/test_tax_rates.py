"""Tax rates are never changed; a customer's standing may take them off; VAT ids have a form."""

from decimal import Decimal

import pytest
from tests.domain.nouns import AT, the, told

from bursar.domain.customers import TaxTreatment, register
from bursar.domain.frozen import replace
from bursar.domain.money import Rate
from bursar.domain.refusals import IllegalTransition, InvalidInput
from bursar.domain.shapes.sample_taxes import TAX_RATE
from bursar.domain.shapes.samples import CUSTOMER
from bursar.domain.tax_ids import require_form
from bursar.domain.tax_rates import (
    EXEMPT_NOTE,
    REVERSE_CHARGE_NOTE,
    TaxRate,
    TaxRateStatus,
    automatic,
    for_customer,
    introduce,
)
from bursar.domain.taxes import TaxCategory


@pytest.mark.parametrize(
    ("category", "note"),
    [
        (TaxCategory.ZERO, None),
        (TaxCategory.EXEMPT, EXEMPT_NOTE),
        (TaxCategory.REVERSE_CHARGE, REVERSE_CHARGE_NOTE),
    ],
)
def test_what_is_no_tax_has_no_percentage_and_says_why(
    category: TaxCategory, note: str | None
) -> None:
    # The law wants the note on the document; a caller's own is kept.
    taxed = replace(TAX_RATE, category=category)
    with pytest.raises(InvalidInput):
        introduce(taxed)
    free = replace(taxed, rate=Rate(Decimal(0)))
    assert the(TaxRate, introduce(free)).note == note
    assert the(TaxRate, introduce(replace(free, note="§ 13b UStG"))).note == "§ 13b UStG"


def test_an_archived_rate_rests() -> None:
    # Once, and for good.
    change = TAX_RATE.archive(AT)
    archived = the(TaxRate, change)
    assert told(change) == ["tax_rate.archived"]
    assert (archived.status, archived.archived_at) == (TaxRateStatus.ARCHIVED, AT)
    with pytest.raises(IllegalTransition):
        archived.archive(AT)


@pytest.mark.parametrize(
    ("treatment", "percent", "category"),
    [
        (TaxTreatment.TAXABLE, 19, TaxCategory.STANDARD),
        (TaxTreatment.EXEMPT, 0, TaxCategory.EXEMPT),
        (TaxTreatment.REVERSE_CHARGE, 0, TaxCategory.REVERSE_CHARGE),
    ],
)
def test_a_customers_standing_decides(
    treatment: TaxTreatment, percent: int, category: TaxCategory
) -> None:
    # No percentage is left over, and the document names the reason.
    found = for_customer(TAX_RATE.terms, treatment)
    assert (found.rate, found.category) == (Rate(Decimal(percent)), category)
    assert (found.note is None) == (treatment is TaxTreatment.TAXABLE)


def test_automatic_rates_are_those_of_the_country() -> None:
    # Of the customer's, or of every one; neither archived ones nor those that are put by hand.
    everywhere = replace(TAX_RATE, country=None)
    table = [
        TAX_RATE,
        replace(TAX_RATE, country="FR"),
        everywhere,
        replace(TAX_RATE, is_automatic=False),
        the(TaxRate, TAX_RATE.archive(AT)),
    ]
    assert automatic(table, CUSTOMER) == (TAX_RATE.terms, everywhere.terms)
    assert automatic(table, replace(CUSTOMER, address=None)) == (everywhere.terms,)


@pytest.mark.parametrize(
    ("tax_id", "country"),
    [
        *(("DE123456789", "DE"), ("de 123 456 789", "DE"), ("ATU12345678", "AT")),
        *(("EL123456789", "GR"), ("FRXX123456789", "FR"), ("ESX1234567X", "ES")),
        *(("NL123456789B01", "NL"), ("IE1234567WA", "IE"), ("PL1234567890", None)),
        *(("12-3456789", "US"), ("CHE-123.456.789", "CH"), ("HRB 12345", "DE"), (None, "DE")),
        *(("DE1", "CH"), ("SE556012579001", "SE"), ("XIGD123", None)),
    ],
)
def test_tax_ids_that_may_be(tax_id: str | None, country: str | None) -> None:
    # As their country writes them, spaced as people do, or of no such country.
    require_form(tax_id, country=country)


@pytest.mark.parametrize(
    ("tax_id", "country"),
    [
        *(("DE12345678", "DE"), ("DE1234567890", "DE"), ("AT12345678", "AT")),
        *(("EL12345678", "GR"), ("FR12345678", "FR"), ("NL123456789001", "NL")),
        *(("PL123", None), ("DE12345678٣", "DE"), ("IT1234567890X", "IT")),
    ],
)
def test_tax_ids_that_may_not_be(tax_id: str, country: str | None) -> None:
    # A digit short, a digit over, a letter amiss.
    with pytest.raises(InvalidInput):
        require_form(tax_id, country=country)


def test_a_customer_is_not_registered_under_a_malformed_number() -> None:
    # Nor changed to one; one that was kept before the check is left alone.
    bad = replace(CUSTOMER, tax_id="DE1")
    with pytest.raises(InvalidInput):
        register(bad)
    with pytest.raises(InvalidInput):
        CUSTOMER.edit(bad)
    assert bad.edit(replace(bad, name="Else")) is not None
