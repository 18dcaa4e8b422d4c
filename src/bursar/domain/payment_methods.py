"""Payment methods: what a customer can be charged by, as the provider's token and its face.

A method belongs to one customer for good: it is attached once and detached once. What is kept of a
card is what may be printed on a receipt; its number never comes here. Which method is the default
stands with the customer.
"""

from msgspec import Struct

from bursar.domain.change import Change
from bursar.domain.events import Event
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, PaymentMethodId
from bursar.domain.payment_events import (
    PaymentMethodAttached,
    PaymentMethodDetached,
    PaymentMethodErased,
)
from bursar.domain.provider import MethodFace
from bursar.domain.tasks import SyncMethod
from bursar.domain.times import Instant


class PaymentMethod(Struct, frozen=True):
    """One stored method. `provider_reference` is what the provider charges."""

    id: PaymentMethodId
    customer_id: CustomerId
    provider: str
    provider_reference: str
    face: MethodFace
    detached_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    def detach(self, at: Instant) -> Change | None:
        """It is charged no more; the provider is told soon."""
        if self.detached_at is not None:
            return None
        after = replace(self, detached_at=at, version=self.version + 1)
        return Change(
            rows=(after,),
            events=(PaymentMethodDetached(after, self),),
            tasks=(SyncMethod(self.id),),
        )

    def erase(self, at: Instant) -> Change | None:
        """Nothing shows whose card it was, and it is charged no more; the provider is told soon.

        Nothing of what was before is told.
        """
        before = replace(self, face=MethodFace(self.face.kind))
        if self == before and self.detached_at is not None:
            return None
        after = replace(before, detached_at=self.detached_at or at, version=self.version + 1)
        events: tuple[Event, ...] = (PaymentMethodErased(after, before),)
        if self.detached_at is not None:
            return Change(rows=(after,), events=events)
        events = (PaymentMethodDetached(after, before), *events)
        return Change(rows=(after,), events=events, tasks=(SyncMethod(self.id),))


def attach(method: PaymentMethod) -> Change:
    """A method that the provider has given to the customer."""
    return Change(rows=(method,), events=(PaymentMethodAttached(method),))
