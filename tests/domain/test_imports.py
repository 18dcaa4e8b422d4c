"""Files from elsewhere: every row is taken or named, in either form."""

import pytest

from bursar.domain.import_files import ROWS_MAX, FileFormat, parted
from bursar.domain.imports import read_balances, read_customers
from bursar.domain.refusals import InvalidInput

CSV, JSONL = FileFormat.CSV, FileFormat.JSONL
HEAD = "reference,email,name,taxId,address.country,metadata.tier,currency\n"


def test_both_forms_say_the_same() -> None:
    # Nested or dotted, quoted or not, with a byte order mark and blank lines: one row, one digest.
    table = f'\ufeff{HEAD}A-1,ada@example.com,"Ada, Countess",,DE,gold,\n\n'
    lines = (
        '{"name": "Ada, Countess", "email": "ada@example.com", "reference": "A-1",'
        ' "address": {"country": "DE"}, "metadata": {"tier": "gold"}, "taxId": null}\n'
    )
    (one,), no_faults = read_customers(table, CSV)
    (other,), none_either = read_customers(lines, JSONL)
    assert no_faults == none_either == []
    assert one.digest == other.digest
    assert (one.name, one.address, one.metadata) == (
        "Ada, Countess",
        {"country": "DE"},
        {"tier": "gold"},
    )


def test_what_exports_guard_comes_back_as_it_was() -> None:
    # The apostrophe before a formula is the export's, not the name's.
    (row,), _ = read_customers("reference,email,name\n1,a@example.com,'=Ada\n", CSV)
    assert row.name == "=Ada"


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        (",a@example.com,Ada,,,,", "reference"),
        ("1,nobody,Ada,,,,", "email"),
        ("1,a@example.com,,,,,", "name"),
        ("1,a@example.com,Ada,DE1,DE,,", "taxId"),
        ("1,a@example.com,Ada,,Germany,,", "address.country"),
        ("1,a@example.com,Ada,,,,EUR", "currency"),
        ("1,a@example.com,Ada,,,,,more", ""),
    ],
)
def test_a_row_that_cannot_be_taken_names_its_field(cells: str, field: str) -> None:
    # And stops no other: the next one is taken.
    good, faults = read_customers(f"{HEAD}{cells}\n2,b@example.com,Bob,,,,\n", CSV)
    assert [each.reference for each in good] == ["2"]
    assert {(each.row, each.field) for each in faults} == {(1, field)}


def test_a_reference_stands_once_in_a_file() -> None:
    # The first row has it.
    text = "reference,email,name\n1,a@example.com,A\n1,b@example.com,B\n"
    good, faults = read_customers(text, CSV)
    assert [each.name for each in good] == ["A"]
    assert [(each.row, each.code) for each in faults] == [(2, "repeated")]


@pytest.mark.parametrize(
    "text", ["", "reference,mail\n1,x\n", "reference,reference\n1,1\n", 'reference\n"1\n']
)
def test_a_file_that_is_none_is_refused_whole(text: str) -> None:
    # Nothing in it, a column that nobody knows or twice, a quote that never ends.
    with pytest.raises(InvalidInput) as refused:
        read_customers(text, CSV)
    assert [each.field for each in refused.value.details] == ["content"]


def test_a_file_has_an_end() -> None:
    # A thousand rows at once; longer files are parted, each part with the head.
    text = "reference,amountCents\n" + "".join(f"{n},1\n" for n in range(ROWS_MAX + 1))
    with pytest.raises(InvalidInput):
        read_balances(text, CSV)
    parts = parted(text, CSV, ROWS_MAX)
    assert [len(read_balances(part, CSV)[0]) for part in parts] == [ROWS_MAX, 1]
    assert len(parted("{}\n" * 5, JSONL, 2)) == 3


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("[]", ""),
        ('{"reference": "1", "amountCents": 1.5}', "amountCents"),
        ('{"reference": "1", "amountCents": "-1"}', "amountCents"),
        ('{"reference": "1", "amountCents": 0}', "amountCents"),
        ('{"reference": "1", "amountCents": 9007199254740992}', "amountCents"),
        ('{"amountCents": 1}', "reference"),
        ('{"customerId": "cust_1", "amountCents": 1}', "customerId"),
        ('{"reference": "1", "amount": 1, "amountCents": 1}', "amount"),
    ],
)
def test_a_balance_that_is_none_is_named(line: str, field: str) -> None:
    # Whole minor units above zero, and a customer by one name.
    good, faults = read_balances(line, JSONL)
    assert good == []
    assert field in {each.field for each in faults}
