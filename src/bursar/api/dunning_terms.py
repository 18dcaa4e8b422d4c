"""An organization's own dunning policy, as a caller writes it."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from bursar.api.fields import Body
from bursar.domain.dunning_policies import (
    ESCALATION,
    STEPS_MAX,
    WAIT_MINUTES_MAX,
    DunningAction,
    DunningPolicy,
    DunningStep,
)

Wait = Annotated[int, Meta(ge=0, le=WAIT_MINUTES_MAX, examples=[1440])]
RetryWait = Annotated[int, Meta(ge=1, le=WAIT_MINUTES_MAX, examples=[1440])]


class DunningStepBody(Body, frozen=True):
    """What is done when no try is left, so many minutes after the step before."""

    action: Literal["notify", "pause", "cancel", "mark_uncollectible"]
    after_minutes: Wait = 0


class DunningBody(Body, frozen=True):
    """The waits before each new try, and what follows the last of them."""

    retry_minutes: Annotated[list[RetryWait], Meta(max_length=STEPS_MAX)]
    escalation: Annotated[list[DunningStepBody], Meta(max_length=STEPS_MAX)] = msgspec.field(
        default_factory=lambda: [_body(step) for step in ESCALATION]
    )

    def to_policy(self) -> DunningPolicy:
        """The policy it describes."""
        steps = (
            DunningStep(DunningAction(each.action), each.after_minutes) for each in self.escalation
        )
        return DunningPolicy(tuple(self.retry_minutes), tuple(steps))


def _body(step: DunningStep) -> DunningStepBody:
    return msgspec.convert(
        {"action": step.action.value, "afterMinutes": step.after_minutes}, DunningStepBody
    )
