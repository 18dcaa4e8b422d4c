"""A stored method's two facts: it comes once, and goes once."""

import msgspec
from tests.domain.nouns import AT, the, told

from bursar.domain.payment_methods import PaymentMethod, attach
from bursar.domain.provider import MethodFace
from bursar.domain.shapes.payment_methods import PaymentMethodOut
from bursar.domain.shapes.render import told as kept
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


def test_a_method_is_forgotten_once() -> None:
    # One that is still attached is detached too; a second time, or of the first, nothing is told.
    method = a_method(CUSTOMER)
    change = method.erase(AT)
    assert change is not None
    assert told(change) == ["payment_method.detached", "payment_method.erased"]
    assert change.tasks == (SyncMethod(method.id),)
    gone = the(PaymentMethod, change)
    assert (gone.face, gone.detached_at) == (MethodFace("card"), AT)
    assert gone.erase(AT) is None
    befores = [each.before for each in change.events if isinstance(each.before, PaymentMethod)]
    assert [each.face for each in befores] == [gone.face, gone.face]


def test_one_that_was_detached_is_forgotten_all_the_same() -> None:
    # The provider took it back long ago and is not told again.
    detached = the(PaymentMethod, a_method(CUSTOMER).detach(AT))
    change = detached.erase(AT)
    assert change is not None
    assert (told(change), change.tasks) == (["payment_method.erased"], ())
    assert the(PaymentMethod, change).detached_at == AT


def test_the_log_keeps_a_face_apart() -> None:
    # What a receipt may print of a card stands apart, so that it can go; the rest does not.
    shape = PaymentMethodOut.of(a_method(CUSTOMER))
    said = kept(former=None, latter=shape, salt=bytes)
    assert said.personal is not None
    assert b"4242" in said.personal
    assert b"4242" not in said.snapshot
    assert msgspec.json.decode(said.whole()[0]) == msgspec.to_builtins(shape)
