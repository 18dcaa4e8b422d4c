"""The generated reference says what the code says."""

import re

import pytest
from tests.support import reference


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_reference_is_current(name: str) -> None:
    # Whoever changes a list in the code changes its page by `make docs`, in the same commit.
    kept = (reference.FOLDER / name).read_text()
    assert kept == reference.pages()[name], "run `make docs`"


def test_reference_holds_nothing_else() -> None:
    # A page that nothing makes would never be brought up to date.
    kept = {path.name for path in reference.FOLDER.iterdir()}
    assert kept == {*reference.pages(), reference.OUTCOMES, reference.LOCALSTRIPE}


def test_every_table_is_read() -> None:
    # The parser sees each table and its columns, or the page would leave some out in silence.
    made = {table.name: table for table in reference.made_tables()}
    written = {
        name
        for path in reference.SCRIPTS.glob("*.sql")
        for name in re.findall(
            r"^CREATE TABLE (?!.*PARTITION)(\S+)", path.read_text(), re.MULTILINE
        )
    }
    assert made.keys() == written
    assert [column[0] for column in made["invoice_series"].columns] == [
        "org_id",
        "series",
        "last_number",
    ]
    assert made["customers"].constraints[0] == "PRIMARY KEY (org_id, id)"
    assert made["customers"].is_isolated
    assert not made["sec.context_keys"].is_isolated
