"""The whole proof: lanes side by side, each a process, and what they did in lines a person reads.

    python -m tests.flows.crash_proof [--seed 7] [--seconds 200]

Without `--seconds` every single fault of every setting is told. It ends with 1 when anything is
wrong, and prints the command that tells each wrong story again.
"""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from itertools import islice
from typing import Final

import msgspec
from tests.flows.crash_lane import Limits, Report
from tests.planted.planting import names
from tests.support.crash import known_places

LANES: Final = 2
SEED: Final = 20_261_121
DOUBLES_MIN: Final = 2_000
EVERY_SINGLE: Final = 1_000_000.0
SINGLES_PER_DOUBLE: Final = 6
SURVIVED_SAMPLE: Final = 0.25
SECONDS_MAX: Final = 14_400
FINDINGS_SHOWN: Final = 20
REPLAY: Final = ".venv/bin/python -m tests.flows.crash_lane --story"


@dataclass(frozen=True, slots=True)
class Proof:
    """What all lanes did and found."""

    reports: list[Report]
    known: frozenset[str]
    seed: int

    def total(self, name: str) -> int:
        """A count over all lanes."""
        return sum(getattr(report, name) for report in self.reports)

    @property
    def hit(self) -> set[str]:
        """The points that some story passed."""
        return set().union(*(report.hit for report in self.reports)) & self.known

    @property
    def strangers(self) -> set[str]:
        """What was passed and is no point of the source."""
        return set().union(*(report.strangers for report in self.reports))

    @property
    def findings(self) -> list[tuple[str, list[str]]]:
        """Every story that went wrong."""
        return [finding for report in self.reports for finding in report.findings]

    @property
    def wrong(self) -> list[str]:
        """Why this proves nothing, or the opposite; empty when it is a proof."""
        hunted = sorted(each.bug for report in self.reports for each in report.hunted)
        checks = {
            "stories went wrong": not self.findings,
            "points were never hit": self.known == self.hit,
            "points are unknown": not self.strangers,
            "a point was not died at in each of its themes": all(
                report.themes == report.themes_known for report in self.reports
            ),
            "too few double faults": self.total("doubles") >= DOUBLES_MIN,
            "a planted bug was not hunted": hunted == names("crash"),
        }
        return [what for what, is_good in checks.items() if not is_good]

    def tell(self) -> None:
        """Print it."""
        seconds = max(report.seconds for report in self.reports)
        rate = (self.total("stories") - self.total("errands")) / seconds
        print(f"\ncrash points   {len(self.hit)} hit / {len(self.known)} known")
        for missed in sorted(self.known - self.hit):
            print(f"  never hit    {missed}")
        for stranger in sorted(self.strangers):
            print(f"  unknown      {stranger}")
        themes = f"{self.total('themes')} died at / {self.total('themes_known')} passed"
        print(f"point x theme  {themes}")
        print(
            f"schedules      {self.total('stories')} run: {self.total('clean')} without a crash,"
            f" {self.total('singles')} of {self.total('singles_known')} single faults,"
            f" {self.total('doubles')} double, {self.total('survived')} survived,"
            f" {self.total('errands')} errands; {self.total('crashes')} crashes"
        )
        print(f"speed          {rate:.1f} schedules/s in {seconds:.0f} s, {LANES} lanes")
        for report in self.reports:
            for each in report.hunted:
                print(f"planted        {each.bug}: found after {each.stories} by {each.found_by}")
        print(f"violations     {len(self.findings)}; seed {self.seed}")
        for story, wrong in islice(self.findings, FINDINGS_SHOWN):
            print(f"  {REPLAY} '{story}'", *wrong, sep="\n    ")


def bounded(seconds: float) -> Limits:
    """What fits into so many seconds: every point in every theme, and a sample of the rest."""
    return Limits(seconds, DOUBLES_MIN, survived_share=SURVIVED_SAMPLE)


async def prove(limits: Limits, seed: int) -> Proof:
    """Run every lane within these limits, and say how it went."""
    reports = await asyncio.gather(*(_lane(number, limits, seed) for number in range(LANES)))
    proof = Proof(reports, known_places().points, seed)
    proof.tell()
    return proof


async def _lane(number: int, limits: Limits, seed: int) -> Report:
    """One lane in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.flows.crash_lane", "--lane", str(number), "--lanes", str(LANES)),
        *("--seed", str(seed), "--seconds", str(limits.seconds)),
        *("--doubles", str(limits.doubles_min // LANES)),
        *("--singles-per-double", str(limits.singles_per_double)),
        *("--survived-share", str(limits.survived_share)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS_MAX):
            told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert process.returncode == 0, f"lane {number} ended with {process.returncode}"
    return msgspec.json.decode(told, type=Report)


def main() -> int:
    """The command line."""
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=SEED)
    options.add_argument("--seconds", type=float)
    given = options.parse_args()
    limits = Limits(EVERY_SINGLE, DOUBLES_MIN, singles_per_double=SINGLES_PER_DOUBLE)
    if given.seconds is not None:
        limits = bounded(given.seconds)
    proof = asyncio.run(prove(limits, given.seed))
    for what in proof.wrong:
        print(f"crash-all: {what}")
    return bool(proof.wrong)


if __name__ == "__main__":
    sys.exit(main())
