"""A stored method's two facts: it comes once, and goes once."""

from tests.domain.nouns import AT, the, told

from bursar.domain.payment_methods import PaymentMethod, attach
from bursar.domain.shapes.samples import CUSTOMER
from bursar.domain.shapes.samples_of_payments import a_method
from bursar.domain.tasks import SyncMethod


def test_a_method_is_detached_once_and_the_provider_is_told() -> None:
    # The first time tells it and leaves the task; the second changes nothing.
    method = a_method(CUSTOMER)
    assert told(attach(method)) == ["payment_method.attached"]
    change = method.detach(AT)
    assert change is not None
    assert (told(change), change.tasks) == (["payment_method.detached"], (SyncMethod(method.id),))
    gone = the(PaymentMethod, change)
    assert (gone.detached_at, gone.version) == (AT, method.version + 1)
    assert gone.detach(AT) is None
