"""The ledger's page is worked out: an example of every move, and each of them would be booked."""

import re
from collections import defaultdict
from pathlib import Path

from bursar.domain import chart

PAGE = Path(__file__).parents[2] / "docs/domain/ledger.md"
LINE = re.compile(r"\| (?:`(\w+)`)? ?\|.*\| `([\w:]+)` \| ([\d,]*) ?\| ([\d,]*) ?\|")


def examples() -> dict[str, list[tuple[str, int]]]:
    """Account and signed amount of each line, by move."""
    page = PAGE.read_text()
    table = page[page.index("<!-- moves -->") : page.index("<!-- end -->")]
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    move = ""
    for line in table.splitlines()[3:]:
        match = LINE.fullmatch(line)
        assert match is not None, line
        named, account, debit, credit = match.groups()
        move = named or move
        minor = int(debit.replace(",", "") or 0) - int(credit.replace(",", "") or 0)
        found[move].append((account, minor))
    return found


def test_every_move_has_an_example() -> None:
    # One more move in the chart is one more example on the page.
    assert list(examples()) == [move.kind for move in chart.MOVES]


def test_every_example_would_be_booked() -> None:
    # It balances, and each account stands on a side where the chart has it.
    for move in chart.MOVES:
        lines = examples()[move.kind]
        assert sum(minor for _, minor in lines) == 0, move.kind
        for account, minor in lines:
            side = move.debits if minor > 0 else move.credits
            assert account.partition(":")[0] in side, (move.kind, account)
