"""A case of dunning as the world sees it, and the policy it goes by."""

from typing import Literal

from bursar.domain.dunning import DunningCase, Resolution
from bursar.domain.dunning_policies import DunningAction, DunningPolicy, DunningStep
from bursar.domain.provider import DeclineKind
from bursar.domain.shapes.fields import Shape, WireInstant, instant
from bursar.domain.times import wire_instant


class DunningStepOut(Shape, frozen=True, kw_only=True):
    """What is done, so many minutes after the step before."""

    action: DunningAction
    after_minutes: int

    @classmethod
    def of(cls, step: DunningStep) -> "DunningStepOut":
        """The step's shape."""
        return cls(action=step.action, after_minutes=step.after_minutes)


class DunningPolicyOut(Shape, frozen=True, kw_only=True):
    """The waits before each new try, and what follows the last of them."""

    retry_minutes: tuple[int, ...]
    escalation: tuple[DunningStepOut, ...]

    @classmethod
    def of(cls, policy: DunningPolicy) -> "DunningPolicyOut":
        """The policy's shape."""
        return cls(
            retry_minutes=policy.retry_minutes,
            escalation=tuple(map(DunningStepOut.of, policy.escalation)),
        )


class DunningOut(Shape, frozen=True, kw_only=True):
    """One invoice in dunning. `currentAction` is what comes next, at `nextRetryAt`."""

    id: str
    object: Literal["dunning"] = "dunning"
    invoice_id: str
    customer_id: str
    subscription_id: str | None
    retry_count: int
    max_retries: int
    next_retry_at: WireInstant | None
    current_action: DunningAction
    decline_kind: DeclineKind | None
    decline_code: str | None
    needs_new_method: bool
    policy: DunningPolicyOut
    paused_at: WireInstant | None
    pause_reason: str | None
    resolved_at: WireInstant | None
    resolution: Resolution | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, case: DunningCase) -> "DunningOut":
        """The case's shape."""
        return cls(
            id=case.id,
            invoice_id=case.invoice_id,
            customer_id=case.customer_id,
            subscription_id=case.subscription_id,
            retry_count=case.retry_count,
            max_retries=case.policy.retries_max,
            next_retry_at=instant(case.next_at),
            current_action=case.current_action,
            decline_kind=case.decline_kind,
            decline_code=case.decline_code,
            needs_new_method=case.is_open and case.blocked_method is not None,
            policy=DunningPolicyOut.of(case.policy),
            paused_at=instant(case.paused_at),
            pause_reason=case.pause_reason,
            resolved_at=instant(case.resolved_at),
            resolution=case.resolution,
            version=case.version,
            created_at=wire_instant(case.created_at),
            updated_at=wire_instant(case.updated_at),
        )
