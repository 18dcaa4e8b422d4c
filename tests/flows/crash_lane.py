"""One lane of the proof: a process of its own, with a database of its own, telling stories.

    python -m tests.flows.crash_lane --lane 0 --lanes 2 --seconds 100 --seed 7
    python -m tests.flows.crash_lane --story 'charge/succeeded/after/none/-/7/…'

Every setting is told once without a crash; the points it passed are its single faults. Those that
no story of the same theme has died at come first, the rest in an order drawn from the seed. Each
single fault is followed by a double one: the same story, dying once more on its way back.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Final

import msgspec
import structlog
import uvloop
from tests.flows.billing_errands import BILLING_ERRANDS
from tests.flows.catalog_errands import CATALOG_ERRANDS
from tests.flows.clock_errands import CLOCK_ERRANDS
from tests.flows.crash_plan import AnySetting, Story, TransferSetting, settings
from tests.flows.crash_stage import Stage, open_stage
from tests.flows.crash_story import Telling
from tests.flows.crash_tour import take_documented_tour, take_tour
from tests.flows.crash_transfers import TransferTelling
from tests.flows.document_errands import DOCUMENT_ERRANDS
from tests.flows.dunning_errands import DUNNING_ERRANDS
from tests.flows.method_errands import METHOD_ERRANDS
from tests.flows.operator_errands import OPERATOR_ERRANDS
from tests.flows.people_errands import PEOPLE_ERRANDS
from tests.flows.provider_errands import PROVIDER_ERRANDS
from tests.flows.refund_errands import REFUND_ERRANDS
from tests.flows.subscription_errands import SUBSCRIPTION_ERRANDS
from tests.flows.team_errands import TEAM_ERRANDS
from tests.flows.wallet_errands import WALLET_ERRANDS
from tests.planted.planting import ground_of, names, planted
from tests.support.crash import Fault
from tests.support.database import Installation, installed

from bursar.domain.ids import uuid_of
from bursar.reads.verify import checks
from bursar.runtime.anchors import Anchors
from bursar.runtime.garbage import keep_what_stands

ERRANDS: Final = (
    *PEOPLE_ERRANDS,
    *TEAM_ERRANDS,
    *WALLET_ERRANDS,
    *CATALOG_ERRANDS,
    *DOCUMENT_ERRANDS,
    *CLOCK_ERRANDS,
    *REFUND_ERRANDS,
    *DUNNING_ERRANDS,
    *METHOD_ERRANDS,
    *SUBSCRIPTION_ERRANDS,
    *BILLING_ERRANDS,
    *OPERATOR_ERRANDS,
    *PROVIDER_ERRANDS,
)
BATCH: Final = 60
FINDINGS_MAX: Final = 20
HUNT_MAX: Final = 2_000
SINGLES_IN_HUNT: Final = 4


class Hunted(msgspec.Struct, frozen=True):
    """A planted bug, after how many stories it was found, and by which."""

    bug: str
    stories: int
    found_by: str


class Report(msgspec.Struct):
    """What one lane did and found."""

    clean: int = 0
    singles: int = 0
    singles_known: int = 0
    doubles: int = 0
    survived: int = 0
    errands: int = 0
    crashes: int = 0
    seconds: float = 0
    themes: int = 0
    themes_known: int = 0
    hit: set[str] = msgspec.field(default_factory=set)
    strangers: set[str] = msgspec.field(default_factory=set)
    findings: list[tuple[str, list[str]]] = msgspec.field(default_factory=list)
    hunted: list[Hunted] = msgspec.field(default_factory=list)

    @property
    def stories(self) -> int:
        return self.clean + self.singles + self.doubles + self.survived + self.errands


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much: the seconds end the lane once the minimum is reached."""

    seconds: float
    doubles_min: int
    singles_max: int = 1_000_000
    singles_per_double: int = 1
    survived_share: float = 1.0


@dataclass
class Lane:
    """Tells stories on a stage and keeps the report."""

    stage: Stage
    seed: int
    report: Report = field(default_factory=Report)
    since_renewal: int = 0
    recent: list[str] = field(default_factory=list)

    async def tell(self, story: Story) -> list[Fault]:
        """One story; gives the points it passed."""
        if self.since_renewal >= BATCH:
            await self.close_batch()
        self.since_renewal += 1
        self.recent.append(str(story))
        try:
            wrong = await _telling(self.stage, story).tell()
        except Exception as failed:  # noqa: BLE001 - a harness that breaks is a finding too
            wrong = [f"raised {failed!r}"]
        fuse = self.stage.fuse
        self.report.hit |= {fault.point for fault in fuse.passed}
        self.report.crashes += fuse.blown
        if wrong:
            await self.find(str(story), wrong)
        return list(fuse.passed)

    async def find(self, told: str, wrong: list[str]) -> None:
        """Keep a finding; what it left behind must not disturb the next story."""
        self.report.findings.append((told, wrong))
        self.since_renewal, self.recent = 0, []
        await self.stage.renew()

    async def close_batch(self) -> None:
        """The books of the whole organization, then another one."""
        wrong = await self.stage.auditor.audit_all()
        wrong += await self._verified()
        if wrong:
            await self.find("+".join(self.recent[:1]) + " …", wrong)
            return
        self.since_renewal, self.recent = 0, []
        await self.stage.renew()

    async def _verified(self) -> list[str]:
        """C1, and the second opinion of our own checks, once the chain is sealed."""
        stage, org_id = self.stage, self.stage.org.id
        await stage.world.seal()
        found = await stage.world.operator(org_id).look(checks)
        wrong = [f"{each.name}: {each.offenders}" for each in found if not each.is_good]
        head = await stage.owner.fetchrow(
            "SELECT position, encode(hash, 'hex') AS hash FROM event_seals"
            " WHERE org_id = $1 ORDER BY position DESC LIMIT 1",
            uuid_of(org_id),
        )
        anchors = Anchors(
            stage.world.house.settings.data_dir / "anchors.jsonl", stage.world.app.keys
        )
        signed = [each for each in anchors.heads() if each.org == org_id]
        if head is None or not signed or (signed[-1].position, signed[-1].hash) != tuple(head):
            wrong.append(f"C1 the chain ends at {head}, the signed head is {signed[-1:]}")
        return wrong


def _telling(stage: Stage, story: Story) -> Telling | TransferTelling:
    if isinstance(story.setting, TransferSetting):
        return TransferTelling(stage, story)
    return Telling(stage, story)


async def run_lane(stage: Stage, mine: list[AnySetting], seed: int, limits: Limits) -> Report:
    """The settings of one lane within its limits."""
    began = time.monotonic()
    lane, chance = Lane(stage, seed), Random(seed)
    report = lane.report
    pool: list[Story] = []
    covered: set[tuple[str, str]] = set()
    known: set[tuple[str, str]] = set()
    for place, setting in enumerate(mine):
        story = Story(setting, seed * 10_000 + place)
        passed = await lane.tell(story)
        report.clean += 1
        chance.shuffle(passed)
        for fault in passed:
            mark = (setting.theme, fault.point)
            known.add(mark)
            if mark in covered or report.singles >= limits.singles_max:
                pool.append(story.with_fault(fault))
                continue
            covered.add(mark)
            await _die_twice(lane, story.with_fault(fault), chance)
            if fault.is_survivable and chance.random() < limits.survived_share:
                await _survive(lane, story, fault)
    report.singles_known = len(pool) + report.singles
    chance.shuffle(pool)
    for single in pool:
        is_late = time.monotonic() - began > limits.seconds
        if (is_late and report.doubles >= limits.doubles_min) or len(
            report.findings
        ) > FINDINGS_MAX:
            break
        if report.singles >= limits.singles_max:
            break
        if report.singles % limits.singles_per_double:
            await _die(lane, single)
        else:
            await _die_twice(lane, single, chance)
    await lane.close_batch()
    report.themes, report.themes_known = len(covered), len(known)
    report.strangers = stage.fuse.strangers
    report.seconds = time.monotonic() - began
    return report


async def _die(lane: Lane, single: Story) -> list[Fault]:
    lane.report.singles += 1
    return await lane.tell(single)


async def _survive(lane: Lane, story: Story, fault: Fault) -> None:
    """The request fails there, and the process goes on."""
    lane.report.survived += 1
    await lane.tell(story.with_fault(fault.survived()))


async def _die_twice(lane: Lane, single: Story, chance: Random) -> None:
    """A single fault, and one of the double ones that begin with it."""
    passed = await _die(lane, single)
    (first,) = single.faults
    after = passed[passed.index(first) + 1 :] if first in passed else []
    if after:
        await lane.tell(single.with_fault(chance.choice(after)))
        lane.report.doubles += 1


async def hunt(stage: Stage, bug: str, seed: int) -> Hunted:
    """Tell stories with a planted bug until one finds it; without it, that story is spotless.

    Raises:
        AssertionError: the harness is blind to the bug, or the story is not to be trusted.
    """
    lane = Lane(stage, seed)
    await stage.renew()
    with planted(bug):
        found = await _first_finding(lane, bug, Random(seed))
        stories = lane.report.stories
        await lane.tell(Story.read(found))
        assert len(lane.report.findings) > 1, f"{found} finds {bug} only once"
    spotless = Lane(stage, seed)
    await spotless.tell(Story.read(found))
    assert not spotless.report.findings, f"{found} finds more than {bug}"
    return Hunted(bug, stories, found)


async def _first_finding(lane: Lane, bug: str, chance: Random) -> str:
    ground = ground_of(bug)
    every = [setting for setting in settings() if str(setting).startswith(ground)]
    while lane.report.stories < HUNT_MAX:
        story = Story(chance.choice(every), chance.randrange(1_000_000))
        passed = await lane.tell(story)
        lane.report.clean += 1
        for fault in chance.sample(passed, min(len(passed), SINGLES_IN_HUNT)):
            if not lane.report.findings:
                await _die_twice(lane, story.with_fault(fault), chance)
            if not lane.report.findings and fault.is_survivable:
                await _survive(lane, story, fault)
        if lane.report.findings:
            return lane.report.findings[0][0]
    raise AssertionError(f"{bug} is not found in {HUNT_MAX} stories")


def lane_of(number: int, lanes: int, seed: int) -> list[AnySetting]:
    """This lane's settings: whole themes, so that their coverage can be counted here."""
    themes = sorted({setting.theme for setting in settings()})
    mine = set(themes[number::lanes])
    found = [setting for setting in settings() if setting.theme in mine]
    Random(seed).shuffle(found)
    return found


async def tell_one(house: Installation, text: str, bug: str | None) -> Report:
    """One story, told again."""
    async with open_stage(house) as stage:
        with planted(bug):
            lane = Lane(stage, 0)
            await lane.tell(Story.read(text))
            return lane.report


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of the settings a lane has, and the seed of its chance."""

    number: int
    lanes: int
    seed: int


async def tell_many(house: Installation, share: Share, limits: Limits) -> Report:
    """A lane; each hunts its share of the planted bugs, the first takes the tour."""
    number, lanes, seed = share.number, share.lanes, share.seed
    async with open_stage(house) as stage:
        keep_what_stands()
        report = await run_lane(stage, lane_of(number, lanes, seed), seed, limits)
        for place, bug in enumerate(names("crash")):
            if place % lanes == number:
                report.hunted.append(await hunt(stage, bug, seed))
        if number < 2:
            tour = await (take_documented_tour(stage) if number else take_tour(stage, ERRANDS))
            report.errands, report.crashes = tour.told, report.crashes + tour.crashes
            report.hit |= tour.hit
            report.findings += tour.findings
        return report


@contextmanager
def quiet() -> Iterator[None]:
    """Crashes are loud in the log; here they are the point."""
    config = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        structlog.configure(**config)


def main() -> int:
    """The command line."""
    options = argparse.ArgumentParser()
    options.add_argument("--story")
    options.add_argument("--bug")
    options.add_argument("--lane", type=int, default=0)
    options.add_argument("--lanes", type=int, default=1)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--doubles", type=int, default=0)
    options.add_argument("--singles-per-double", type=int, default=1)
    options.add_argument("--survived-share", type=float, default=1)
    given = options.parse_args()
    with quiet(), installed() as house:
        if given.story is not None:
            work = tell_one(house, given.story, given.bug)
        else:
            limits = Limits(
                given.seconds,
                given.doubles,
                singles_per_double=given.singles_per_double,
                survived_share=given.survived_share,
            )
            work = tell_many(house, Share(given.lane, given.lanes, given.seed), limits)
        report = uvloop.run(work)
    if given.story is None:
        sys.stdout.buffer.write(msgspec.json.encode(report))
        return 0
    for told, wrong in report.findings:
        print(told, *wrong, sep="\n  ")
    return bool(report.findings)


if __name__ == "__main__":
    sys.exit(main())
