"""Known rows: the last one of each spot, and no more of them than there is room for."""

from bursar.runtime.known_rows import KnownRows


def test_the_last_row_is_kept() -> None:
    # Another one takes its place; what nobody put there, or was forgotten, is not known.
    rows = KnownRows()
    rows.put("here", 1)
    rows.put("there", 2)
    rows.put("here", 3)
    assert (rows.get("here"), rows.get("there"), rows.get("nowhere")) == (3, 2, None)
    rows.forget(["here", "nowhere"])
    assert (rows.get("here"), rows.get("there"), len(rows)) == (None, 2, 1)


def test_what_was_not_asked_for_longest_goes_first() -> None:
    # To ask for a row, or to put it again, is to keep it.
    rows = KnownRows(rows_max=3)
    for spot in "abc":
        rows.put(spot, spot)
    rows.get("a")
    rows.put("b", "b")
    rows.put("d", "d")
    assert [rows.get(spot) for spot in "abcd"] == ["a", "b", None, "d"]
