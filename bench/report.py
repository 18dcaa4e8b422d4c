"""What a bench says: one result, a table for people and JSON for machines."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Target:
    """The ratio that must be, and the one we want; `is_most`: less is better."""

    must: float
    goal: float
    is_most: bool = False

    def is_met_by(self, ratio: float) -> bool:
        """Whether the ratio is good enough."""
        return ratio <= self.must if self.is_most else ratio >= self.must


@dataclass(frozen=True, slots=True)
class Round:
    """Both sides, measured next to each other; a side whose invariants fail is worth nothing."""

    ours: float
    limit: float

    @property
    def ratio(self) -> float:
        """Ours beside the limit."""
        return self.ours / self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One bench, whole."""

    name: str
    ours: float
    limit: float
    ratio: float
    lowest: float
    highest: float
    unit: str
    must: float
    goal: float
    ok: bool
    settings: dict[str, object]
    detail: dict[str, object]


def judged(
    name: str,
    target: Target,
    rounds: Sequence[Round],
    *,
    unit: str,
    broken: Sequence[str],
) -> Result:
    """The median of the rounds' ratios; zero when something did not add up."""
    ratios = sorted(each.ratio for each in rounds)
    ratio = statistics.median(ratios)
    is_good = not broken
    return Result(
        name=name,
        ours=round(statistics.median(each.ours for each in rounds), 3) if is_good else 0,
        limit=round(statistics.median(each.limit for each in rounds), 3),
        ratio=round(ratio, 3) if is_good else 0,
        lowest=round(ratios[0], 3),
        highest=round(ratios[-1], 3),
        unit=unit,
        must=target.must,
        goal=target.goal,
        ok=is_good and target.is_met_by(ratio),
        settings={},
        detail={
            "rounds": [asdict(each) for each in rounds],
            "broken": list(broken),
        },
    )


def write(result: Result) -> Path:
    """Keep it as JSON beside the others."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{result.name}.json"
    path.write_text(json.dumps(asdict(result), indent=2) + "\n")
    return path


def table(results: Sequence[Result]) -> str:
    """All of them, a line each."""
    head = ("bench", "ours", "limit", "unit", "ratio", "range", "must", "goal", "")
    rows = [head, *(_row(result) for result in results)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def _row(result: Result) -> tuple[str, ...]:
    return (
        result.name,
        f"{result.ours:,.2f}",
        f"{result.limit:,.2f}",
        result.unit,
        f"{result.ratio:.3f}",
        f"{result.lowest:.3f}..{result.highest:.3f}",
        f"{result.must:g}",
        f"{result.goal:g}",
        "ok" if result.ok else "MISSED",
    )
