"""The worker of a story: every due task in any order, some of them twice, some without a claim."""

from dataclasses import dataclass, field
from functools import partial
from random import Random

from tests.flows.crash_stage import Stage
from tests.support.crash import Failed

from bursar.domain.refusals import ProviderFailed, TaskSuperseded
from bursar.runtime.queue import Claimed


@dataclass
class Worker:
    """Runs what is due; `wrong` says what should not have happened."""

    stage: Stage
    chance: Random
    jobs: list[Claimed] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    async def work(self) -> bool:
        """Every due task, in any order; some at once a second time."""
        jobs = await self.stage.claim()
        self.chance.shuffle(jobs)
        for job in jobs:
            self.jobs.append(job)
            await self._run(job)
            if self.chance.random() < 0.3:
                await self._run_again(job)
        return bool(jobs)

    async def _run(self, job: Claimed) -> None:
        try:
            await self.stage.run(job)
        except (ProviderFailed, Failed) as failed:
            await self.stage.put_off(job, failed)
        except Exception as failed:  # noqa: BLE001 - whatever a task raises is a finding
            self.wrong.append(f"J2 {job.task} raised {failed!r}")
            await self.stage.put_off(job, failed)

    async def _run_again(self, job: Claimed) -> None:
        """After its end, under the old claim or under none."""
        try:
            if self.chance.random() < 0.3:
                await self.stage.run(job)
                self.wrong.append(f"J2 {job.task} ran under a claim that is gone")
            else:
                await self.stage.run_unfenced(job)
        except (TaskSuperseded, ProviderFailed, Failed):
            return
        except Exception as failed:  # noqa: BLE001 - whatever a task raises is a finding
            self.wrong.append(f"J2 {job.task} raised {failed!r} the second time")

    async def repeat(self) -> None:
        """Tasks come once more, long after they were done."""
        self.chance.shuffle(self.jobs)
        for job in self.jobs:
            if self.chance.random() < 0.3:
                await self.stage.alive(partial(self._run_again, job))
