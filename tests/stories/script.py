"""A story as plain text: what is done on which day, the sums by hand, and what must come of it.

    Upgrade in the middle of a month
    Ada moves on the 16th; what is left of January is given back, and due at the new price.

    zone: UTC

    == acts
    2026-01-01 00:00  plan Basic costs 30.00 a month
    2026-01-01 00:00  Ada subscribes to Basic

    == sums
    15.48 = 30.00 * 16 / 31

    == timeline
    == trial balance

Each amount of a line in the timeline must be the left side of a sum: nothing is copied from what
the program printed without somebody having worked it out.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

FOLDER: Final = Path(__file__).parent
_SECTIONS: Final = ("acts", "sums", "timeline", "trial balance")
_ACT: Final = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d)  (.+)")
_LINE: Final = re.compile(r" {4}\s*(-?\d[\d.]*)  .*")
_TOKEN: Final = re.compile(r"\d+(?:\.\d+)?|[-+*/()]")
_SETTING: Final = re.compile(r"(\w+): (.+)")


@dataclass(frozen=True)
class Act:
    """Something that is done, at an instant of the story's zone."""

    at: datetime
    words: str


@dataclass(frozen=True)
class Script:
    """One story."""

    path: Path
    settings: dict[str, str]
    acts: tuple[Act, ...]
    sums: tuple[str, ...]
    timeline: str
    trial_balance: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.get("zone", "UTC"))

    @property
    def told(self) -> str:
        """What must come of it."""
        return f"== timeline\n{self.timeline}\n\n== trial balance\n{self.trial_balance}\n"


def read(path: Path) -> Script:
    """The story in a file."""
    head, *parts = re.split(r"^== (.+)\n", path.read_text("utf-8"), flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    assert tuple(sections) == _SECTIONS, f"{path.name}: {tuple(sections)}"
    settings = {found[1]: found[2] for found in map(_SETTING.fullmatch, head.splitlines()) if found}
    zone = ZoneInfo(settings.get("zone", "UTC"))
    acts = tuple(_act(line, zone) for line in _filled(sections["acts"]))
    assert list(acts) == sorted(acts, key=lambda act: act.at), f"{path.name}: out of order"
    return Script(
        path,
        settings,
        acts,
        tuple(_filled(sections["sums"])),
        sections["timeline"].strip("\n"),
        sections["trial balance"].strip("\n"),
    )


def wrong_sums(script: Script) -> list[str]:
    """Sums that do not come out, and amounts of lines that nobody worked out."""
    wrong, known = [], set[Fraction]()
    for line in script.sums:
        stated, _, formula = line.partition(" = ")
        places = len(stated.partition(".")[2])
        value = round(_value(formula), places)  # half to even, exactly
        known.add(Fraction(stated))
        if value != Fraction(stated):
            wrong.append(f"{line}: it is {float(value):.{places}f}")
    amounts = [found[1] for found in map(_LINE.fullmatch, script.timeline.splitlines()) if found]
    return [
        *wrong,
        *(f"nobody worked out {each}" for each in amounts if Fraction(each) not in known),
    ]


def _act(line: str, zone: ZoneInfo) -> Act:
    found = _ACT.fullmatch(line)
    assert found is not None, f"no act: {line!r}"
    at = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=zone)
    return Act(at, found[3])


def _filled(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _value(formula: str) -> Fraction:
    """A sum of products of decimals, worked out exactly."""
    tokens = _TOKEN.findall(formula)
    assert "".join(tokens) == formula.replace(" ", ""), formula
    value, rest = _sum(tokens)
    assert not rest, formula
    return value


def _sum(tokens: list[str]) -> tuple[Fraction, list[str]]:
    value, tokens = _product(tokens)
    while tokens and tokens[0] in "+-":
        more, rest = _product(tokens[1:])
        value = value + more if tokens[0] == "+" else value - more
        tokens = rest
    return value, tokens


def _product(tokens: list[str]) -> tuple[Fraction, list[str]]:
    value, tokens = _factor(tokens)
    while tokens and tokens[0] in "*/":
        more, rest = _factor(tokens[1:])
        value = value * more if tokens[0] == "*" else value / more
        tokens = rest
    return value, tokens


def _factor(tokens: list[str]) -> tuple[Fraction, list[str]]:
    head, *rest = tokens
    if head == "-":
        value, rest = _factor(rest)
        return -value, rest
    if head == "(":
        value, rest = _sum(rest)
        assert rest[0] == ")"
        return value, rest[1:]
    return Fraction(head), rest
