"""A customer's changes: told once each, made known abroad when it matters, refused when bound."""

from typing import Final

import pytest
from tests.domain.nouns import AT, the, told

from bursar.domain.customers import Customer, register
from bursar.domain.frozen import replace
from bursar.domain.ids import PaymentMethodId
from bursar.domain.refusals import StillInUse
from bursar.domain.shapes.samples import CUSTOMER
from bursar.domain.tasks import SyncCustomer

METHOD: Final = PaymentMethodId("pm_0195a1b2-c3d4-7017-8000-0123456789ab")


def test_a_new_customer_is_made_known_to_the_provider() -> None:
    # Even if the first call fails, a task stays behind.
    change = register(CUSTOMER)
    assert (told(change), change.tasks) == (["customer.created"], (SyncCustomer(CUSTOMER.id),))


@pytest.mark.parametrize(
    ("field", "value", "is_told_abroad"),
    [
        ("name", "Globex AG", True),
        ("email", "new@globex.example", True),
        ("tax_id", None, False),
        ("address", None, False),
        ("metadata", {}, False),
    ],
)
def test_an_edit_tells_the_provider_only_what_it_keeps(
    field: str, value: object, is_told_abroad: bool
) -> None:
    # Name and e-mail go abroad; the rest is ours.
    after = replace(CUSTOMER, **{field: value})  # type: ignore[arg-type]  # the field is a parameter
    change = CUSTOMER.edit(after)
    assert change is not None
    assert (told(change), bool(change.tasks)) == (["customer.updated"], is_told_abroad)
    assert the(Customer, change).version == CUSTOMER.version + 1


def test_what_changes_nothing_is_no_change() -> None:
    # The same content, the same link, the same method, a second deletion.
    linked = the(Customer, CUSTOMER.link("cus_1"))
    with_method = the(Customer, CUSTOMER.use_method(METHOD, reference="pm_1"))
    deleted = the(Customer, CUSTOMER.delete(open_invoices=0, at=AT))
    assert CUSTOMER.edit(CUSTOMER) is None
    assert linked.link("cus_1") is None
    assert with_method.use_method(METHOD, reference="pm_1") is None
    assert deleted.delete(open_invoices=0, at=AT) is None
    assert (linked.provider_reference, with_method.method_reference) == ("cus_1", "pm_1")


def test_a_default_that_is_detached_is_charged_no_more() -> None:
    # Another method's end leaves it alone.
    with_method = the(Customer, CUSTOMER.use_method(METHOD, reference="pm_1"))
    other = PaymentMethodId("pm_0195a1b2-c3d4-7018-8000-0123456789ab")
    assert with_method.lose_method(other) is None
    without = the(Customer, with_method.lose_method(METHOD))
    assert (without.method_id, without.method_reference) == (None, None)


def test_a_customer_with_open_documents_stays() -> None:
    # The refusal counts them; without any, the customer is hidden and the fact is told.
    with pytest.raises(StillInUse, match="2 draft or open invoices"):
        CUSTOMER.delete(open_invoices=2, at=AT)
    with pytest.raises(StillInUse, match="1 open wallets"):
        CUSTOMER.delete(open_invoices=0, open_wallets=1, at=AT)
    change = CUSTOMER.delete(open_invoices=0, at=AT)
    assert (the(Customer, change).deleted_at, told(change)) == (AT, ["customer.deleted"])
