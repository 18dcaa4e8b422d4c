"""Customers: who pays, under an id of ours, with the merchant's metadata.

A deleted customer keeps its id for ever, answers `deleted: true` and can pay no more.
"""

from bursar_sandbox.core import lists
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import no_such
from bursar_sandbox.core.search import found
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work
from bursar_sandbox.resources import payment_methods

KIND = "customer"
FIELDS = ("name", "email", "phone", "description")
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def create(work: Work, params: Params) -> Thing:
    """Book a customer, with a first payment method when one is named."""
    customer = work.add(_blank(work))
    token = params.text("payment_method")
    method = payment_methods.attach_to(work, token, customer["id"]) if token else None
    _fill(work, params, customer, {token or "": method["id"] if method else ""})
    work.emit("customer.created", customer)
    return customer


def update(work: Work, params: Params, customer_id: str) -> Thing:
    living(work, customer_id)
    customer = work.edit(KIND, customer_id)
    _fill(work, params, customer, {})
    work.emit("customer.updated", customer)
    return customer


def retrieve(work: Work, params: Params, customer_id: str) -> Thing:
    customer = work.find(KIND, customer_id)
    params.done()
    return _gone(customer_id) if customer.get("_is_deleted") else customer


def delete(work: Work, params: Params, customer_id: str) -> Thing:
    """Close the customer's affairs: methods are detached, the id stays known as deleted."""
    living(work, customer_id)
    params.done()
    for method in work.all(payment_methods.KIND):
        if method["customer"] == customer_id:
            payment_methods.detach_from(work, method["id"])
    customer = work.edit(KIND, customer_id)
    customer["_is_deleted"] = True
    work.emit("customer.deleted", customer)
    return _gone(customer_id)


def listed(work: Work, params: Params) -> Thing:
    within = lists.created_range(params)
    email = params.text("email")
    rows = [
        row
        for row in work.all(KIND)
        if not row.get("_is_deleted")
        and within[0] <= row["created"] <= within[1]
        and (email is None or row["email"] == email)
    ]
    return lists.page(rows, params, "/v1/customers", KIND)


def searched(work: Work, params: Params) -> Thing:
    return found(work, KIND, params, "/v1/customers/search")


def methods(work: Work, params: Params, customer_id: str) -> Thing:
    """The payment methods attached to one customer."""
    living(work, customer_id)
    return payment_methods.of_customer(
        work, params, customer_id, f"/v1/customers/{customer_id}/payment_methods"
    )


def method(work: Work, params: Params, customer_id: str, method_id: str) -> Thing:
    living(work, customer_id)
    params.done()
    kept = work.find(payment_methods.KIND, method_id, "payment_method")
    if kept["customer"] != customer_id:
        raise no_such(payment_methods.KIND, method_id, "payment_method")
    return kept


def living(work: Work, customer_id: str, param: str = "id", status: int = 404) -> Thing:
    """The customer, unless it was never there or has been deleted.

    Raises:
        Refusal: `resource_missing`.
    """
    customer = work.find(KIND, customer_id, param, status)
    if customer.get("_is_deleted"):
        raise no_such(KIND, customer_id, param, status)
    return customer


def _gone(customer_id: str) -> Thing:
    return {"id": customer_id, "object": KIND, "deleted": True}


def _fill(work: Work, params: Params, customer: Thing, fresh: dict[str, str]) -> None:
    for name in FIELDS:
        value = params.text(name)
        if value is not None:
            customer[name] = value or None
    address = params.nested("address")
    if address is not None:
        customer["address"] = {name: address.text(name) or None for name in ADDRESS}
    customer["metadata"] = params.metadata(customer["metadata"])
    chosen = params.hash("invoice_settings").text("default_payment_method")
    if chosen is not None:
        chosen = fresh.get(chosen, chosen)
        if chosen:
            method(work, Params({}), customer["id"], chosen)
        customer["invoice_settings"]["default_payment_method"] = chosen or None
    params.accept("preferred_locales", "tax_exempt", "shipping")
    params.done()


def _blank(work: Work) -> Thing:
    return {
        "id": work.ids.next("cus_", 14),
        "object": KIND,
        "address": None,
        "balance": 0,
        "created": work.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": work.ids.next("", 8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
