"""Webhook endpoints: where events go. The signing secret is shown once, at creation."""

from bursar_sandbox.core import lists
from bursar_sandbox.core.outbox import DELIVERY, Endpoint
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import invalid, missing
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work

KIND = "webhook_endpoint"
EVENTS_MAX = 500


def create(work: Work, params: Params) -> Thing:
    url = params.url("url")
    wanted = params.texts("enabled_events")
    if url is None:
        raise missing("url")
    if not wanted or len(wanted) > EVENTS_MAX:
        raise invalid(f"enabled_events must list 1 to {EVENTS_MAX} events.", "enabled_events")
    description = params.text("description") or None
    metadata = params.metadata()
    params.accept("api_version")
    params.done()
    endpoint = place(work, Endpoint(url, work.ids.next("whsec_", 32), tuple(wanted)))
    endpoint |= {"description": description, "metadata": metadata}
    return {**endpoint, "secret": endpoint["_secret"]}


def place(work: Work, endpoint: Endpoint) -> Thing:
    """Book an endpoint, or change the secret of the one that has the same address."""
    for row in work.all(KIND):
        if row["url"] == endpoint.url:
            known = work.edit(KIND, row["id"])
            known["_secret"] = endpoint.secret
            known["enabled_events"] = list(endpoint.enabled_events)
            return known
    return work.add(
        {
            "id": work.ids.next("we_"),
            "object": KIND,
            "api_version": None,
            "application": None,
            "created": work.now,
            "description": None,
            "enabled_events": list(endpoint.enabled_events),
            "livemode": False,
            "metadata": {},
            "status": "enabled",
            "url": endpoint.url,
            "_secret": endpoint.secret,
        }
    )


def update(work: Work, params: Params, endpoint_id: str) -> Thing:
    work.find(KIND, endpoint_id)
    endpoint = work.edit(KIND, endpoint_id)
    endpoint["url"] = params.url("url") or endpoint["url"]
    endpoint["enabled_events"] = params.texts("enabled_events") or endpoint["enabled_events"]
    is_off = params.boolean("disabled")
    if is_off is not None:
        endpoint["status"] = "disabled" if is_off else "enabled"
    endpoint["metadata"] = params.metadata(endpoint["metadata"])
    params.done()
    return endpoint


def retrieve(work: Work, params: Params, endpoint_id: str) -> Thing:
    params.done()
    return work.find(KIND, endpoint_id)


def listed(work: Work, params: Params) -> Thing:
    return lists.listing(work, KIND, params, "/v1/webhook_endpoints")


def delete(work: Work, params: Params, endpoint_id: str) -> Thing:
    params.done()
    work.find(KIND, endpoint_id)
    work.books.drop(KIND, endpoint_id)
    for row in work.all(DELIVERY):
        if row["endpoint"] == endpoint_id:
            work.books.drop(DELIVERY, row["id"])
    return {"id": endpoint_id, "object": KIND, "deleted": True}
