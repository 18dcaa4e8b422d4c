"""What every payment provider must do about stored methods; see `provider_contract`."""

from datetime import timedelta
from functools import partial

from tests.providers.provider_contract import OTHER_ORG, Processor
from tests.providers.scripted import CUSTOMER, ORG, a_customer, a_setup

from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId
from bursar.domain.provider import (
    ActionRequired,
    Declined,
    Linked,
    MethodAttached,
    NotFound,
    SetupSeen,
)

OTHER_CUSTOMER = CustomerId("cust_01900000-0000-7000-8000-0000000000bb")


class MethodContract:
    """Inherit it and give it a `processor` fixture."""

    async def test_a_card_refused_at_the_door_is_not_attached(self, processor: Processor) -> None:
        # Attaching declines like charging.
        linked = await processor.provider.ensure_customer(a_customer())
        assert isinstance(linked, Linked)
        token = "pm_card_chargeDeclinedExpiredCard"
        attached = await processor.provider.attach_method(linked.reference, token=token)
        assert isinstance(attached, Declined)

    async def test_a_method_is_read_as_its_owners(self, processor: Processor) -> None:
        # Only while it is the customer's: another's, a detached and an unknown one are nobody's.
        linked = await processor.provider.ensure_customer(a_customer())
        assert isinstance(linked, Linked)
        attach, find = processor.provider.attach_method, processor.provider.find_method
        kept = await attach(linked.reference, token="pm_card_visa")
        assert isinstance(kept, MethodAttached)
        assert await find(linked.reference, method=kept.reference) == kept
        assert await find("cus_other", method=kept.reference) == NotFound()
        assert await find(linked.reference, method="pm_of_nobody") == NotFound()
        await processor.provider.detach_method(kept.reference)
        assert await find(linked.reference, method=kept.reference) == NotFound()

    async def test_all_methods_of_a_customer_go(self, processor: Processor) -> None:
        # Whoever attached them; nobody else's do, and there is nothing left to do a second time.
        provider = processor.provider
        mine = await provider.ensure_customer(a_customer())
        theirs = await provider.ensure_customer(a_customer(customer_id=OTHER_CUSTOMER))
        assert isinstance(mine, Linked)
        assert isinstance(theirs, Linked)
        kept = [
            await provider.attach_method(whose.reference, token=token)
            for whose in (mine, theirs)
            for token in ("pm_card_visa", "pm_card_mastercard")
        ]
        for _ in range(2):
            assert await provider.detach_methods(mine.reference) == mine
        found = []
        for whose, method in zip((mine, mine, theirs, theirs), kept, strict=True):
            assert isinstance(method, MethodAttached)
            found.append(await provider.find_method(whose.reference, method=method.reference))
        assert found == [NotFound(), NotFound(), *kept[2:]]

    async def test_setups_are_found_in_the_books(self, processor: Processor) -> None:
        # What was proven, and what waits for its holder; not another organization's, nor old ones.
        provider, before = processor.provider, processor.now
        linked = await provider.ensure_customer(a_customer())
        assert isinstance(linked, Linked)
        asked = a_setup(customer_reference=linked.reference, token="pm_card_visa")
        proven = await provider.set_up_method(asked)
        assert isinstance(proven, MethodAttached)
        asking = "pm_card_authenticationRequiredOnSetup"
        waiting = await provider.set_up_method(replace(asked, token=asking, is_default=False))
        assert isinstance(waiting, ActionRequired)
        refused = replace(asked, token="pm_card_visa_chargeDeclined")
        assert isinstance(await provider.set_up_method(refused), Declined)
        seen = partial(provider.setups_since, linked.reference)
        found = await seen(org_id=ORG, since=before)
        assert found == (
            SetupSeen(CUSTOMER, None, is_default=False),
            SetupSeen(CUSTOMER, proven, is_default=True),
        )
        assert await seen(org_id=OTHER_ORG, since=before) == ()
        assert await seen(org_id=ORG, since=before + timedelta(days=1)) == ()
        await provider.detach_methods(linked.reference)
        assert await seen(org_id=ORG, since=before) == found[:1]
