"""Plans: what can be subscribed to, and what it costs in each version of its prices.

A change of price never changes a price: it makes a new version beside the old ones, and running
subscriptions keep the version they agreed to. The first price of a version is the plan's own; the
further ones are metered charges on top. An archived plan takes no new subscription and no edit.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.events import PlanArchived, PlanCreated, PlanUpdated
from bursar.domain.frozen import replace
from bursar.domain.ids import PlanId
from bursar.domain.pricing import BillingInterval, Price, PriceTerms
from bursar.domain.refusals import IllegalTransition, InvalidInput
from bursar.domain.times import Instant

CHARGES_MAX: Final = 20
TRIAL_DAYS_MAX: Final = 730


class PlanStatus(StrEnum):
    """Whether anybody may still subscribe."""

    ACTIVE = "active"
    ARCHIVED = "archived"


TRANSITIONS: Final[dict[PlanStatus, tuple[PlanStatus, ...]]] = {
    PlanStatus.ACTIVE: (PlanStatus.ARCHIVED,),
    PlanStatus.ARCHIVED: (),
}


class Plan(Struct, frozen=True):
    """Something to subscribe to, with the prices of its current version."""

    id: PlanId
    name: str
    description: str | None
    status: PlanStatus
    currency: Currency
    interval: BillingInterval
    trial_days: int
    price_version: int
    prices: tuple[Price, ...]
    metadata: dict[str, str]
    archived_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def own_price(self) -> Price:
        """The plan's own price; the others are charges on top of it."""
        return self.prices[0]

    @property
    def charges(self) -> tuple[Price, ...]:
        """Metered charges beside the plan's own price."""
        return self.prices[1:]

    @property
    def metered(self) -> tuple[Price, ...]:
        """Every price that counts usage."""
        return tuple(price for price in self.prices if price.is_metered)

    def to(self, status: PlanStatus) -> "Plan":
        """The same plan in another state, one version later.

        Raises:
            IllegalTransition: the table has no such edge.
        """
        if status not in TRANSITIONS[self.status]:
            raise IllegalTransition(
                f"Plan {self.id} is {self.status.value}; it cannot become {status.value}.",
                facts=_state_facts(self.status),
            )
        return replace(self, status=status, version=self.version + 1)

    def edit(self, after: "Plan", prices: Sequence[Price] | None = None) -> Change | None:
        """Other words, or other prices; the same terms again are no new version.

        Raises:
            IllegalTransition: the plan is archived.
            InvalidInput: the prices do not fit each other.
        """
        if self.status is PlanStatus.ARCHIVED:
            raise IllegalTransition(
                f"Plan {self.id} is archived; it cannot be edited.", facts=_state_facts(self.status)
            )
        if prices is not None and _terms(prices) != _terms(self.prices):
            _require_fit(self.interval, prices)
            after = replace(after, prices=tuple(prices), price_version=self.price_version + 1)
        if after == self:
            return None
        after = replace(after, version=self.version + 1)
        return Change(rows=(after,), events=(PlanUpdated(after, self),))

    def archive(self, at: Instant) -> Change:
        """Nobody subscribes to it any more; running subscriptions go on.

        Raises:
            IllegalTransition: archived already.
        """
        after = replace(self.to(PlanStatus.ARCHIVED), archived_at=at)
        return Change(rows=(after,), events=(PlanArchived(after, self),))


def publish(plan: Plan) -> Change:
    """A new plan.

    Raises:
        InvalidInput: its prices do not fit each other.
    """
    assert plan.status is PlanStatus.ACTIVE
    assert plan.price_version == 1
    _require_fit(plan.interval, plan.prices)
    return Change(rows=(plan,), events=(PlanCreated(plan),))


def _require_fit(interval: BillingInterval, prices: Sequence[Price]) -> None:
    assert prices, "a plan has a price of its own"
    assert prices[0].terms.interval is interval, "the plan's own price is billed with the plan"
    if len(prices) > CHARGES_MAX + 1:
        raise InvalidInput.at("charges", f"expected at most {CHARGES_MAX}", "wrong_length")
    counted = {prices[0].terms.meter_id} - {None}
    for position, charge in enumerate(prices[1:]):
        terms, place = charge.terms, f"charges[{position}]"
        assert terms.meter_id is not None, "a charge counts usage"
        if terms.meter_id in counted:
            raise InvalidInput.at(f"{place}.meterId", "is charged for already", "duplicate")
        counted.add(terms.meter_id)
        if interval is BillingInterval.MONTH and terms.interval is BillingInterval.YEAR:
            says = "cannot be longer than the plan's"
            raise InvalidInput.at(f"{place}.billingInterval", says, "interval")


def _terms(prices: Sequence[Price]) -> list[PriceTerms]:
    return [price.terms for price in prices]


def _state_facts(status: PlanStatus) -> dict[str, object]:
    allowed = [each.value for each in TRANSITIONS[status]]
    return {"currentStatus": status.value, "allowedTransitions": allowed}
