"""What every page of `docs/reference/` is made of: a heading with its note, and tables."""

from collections.abc import Iterable, Sequence
from typing import Final

NOTE: Final = "*Made from the code by `make docs`; a test fails when it is out of date.*"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with this head; a bar in a cell stays a bar."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def page(title: str, *parts: str) -> str:
    """A whole page, said to be made and not written."""
    return "\n\n".join([f"# {title}", NOTE, *parts]) + "\n"
