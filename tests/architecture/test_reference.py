"""The generated reference says what the code says."""

import re

import pytest
from tests.support import reference

from bursar.domain.provider import PaymentProvider

LOCAL = {"name", "require_open_line"}  # of the port, and nothing that is asked of anybody


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_reference_is_current(name: str) -> None:
    # Whoever changes a list in the code changes its page by `make docs`, in the same commit.
    kept = (reference.FOLDER / name).read_text()
    assert kept == reference.pages()[name], "run `make docs`"


def test_reference_holds_nothing_else() -> None:
    # A page that nothing makes would never be brought up to date.
    kept = {path.name for path in reference.FOLDER.iterdir()}
    assert kept == {*reference.pages(), reference.OUTCOMES, reference.LOCALSTRIPE}


def test_every_verb_of_the_port_was_asked() -> None:
    # What the adapter learns is asked of localstripe too, or the page says less than it claims.
    port = {name for name in vars(PaymentProvider) if not name.startswith("_")} - LOCAL
    asked = re.findall(r"^\| [^|]+ \| `(\w+)` \|", _localstripe(), re.MULTILINE)
    assert set(asked) == port


def _localstripe() -> str:
    return (reference.FOLDER / reference.LOCALSTRIPE).read_text()


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
