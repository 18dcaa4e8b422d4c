"""Output: nothing in somebody's data steers a terminal or a spreadsheet."""

import pytest

from bursar.cli.output import Format, say, show_list, show_one


def test_csv_defuses_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    # A cell that a spreadsheet would run gets an apostrophe; numbers stay numbers.
    show_list([{"name": "=1+1", "n": -5}, {"name": "+x", "n": None}], ("name", "n"), Format.CSV)
    assert capsys.readouterr().out == "name,n\n'=1+1,-5\n'+x,\n"


def test_tables_show_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    # An escape sequence in a name is shown as what it is: unprintable; brackets are no markup.
    show_list([{"name": "a\x1b[31mb [red]c"}], ("name",), Format.TABLE)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[red]c" in shown


def test_amounts_are_told_in_the_currency(capsys: pytest.CaptureFixture[str]) -> None:
    # 500 minor units are 5.00 dollars, 500 yen and half a dinar.
    rows = [{"totalCents": 500, "currency": code} for code in ("usd", "jpy", "kwd")]
    show_list(rows, ("totalCents",), Format.TABLE)
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert shown == ["total", "5.00 USD", "500 JPY", "0.500 KWD"]


def test_words_go_to_stderr_and_can_be_silenced(capsys: pytest.CaptureFixture[str]) -> None:
    # Data on stdout, words on stderr, none when quiet.
    show_one({"a": 1}, Format.JSONL)
    say("done")
    say("chatter", is_quiet=True)
    assert capsys.readouterr() == ('{"a":1}\n', "done\n")
