"""Events: what has been told, kept thirty days and readable whatever became of the delivery."""

from bursar_sandbox.core import lists
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.rules import matches
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work

KIND = "event"
KEPT_S = 30 * 86_400


def retrieve(work: Work, params: Params, event_id: str) -> Thing:
    params.done()
    return work.find(KIND, event_id)


def listed(work: Work, params: Params) -> Thing:
    wanted = params.texts("types") or [params.text("type") or "*"]
    within = lists.created_range(params)
    params.accept("delivery_success")
    rows = [
        row
        for row in work.all(KIND)
        if matches(",".join(wanted), row["type"]) and within[0] <= row["created"] <= within[1]
    ]
    return lists.page(rows, params, "/v1/events", KIND)


def forget_old(work: Work) -> None:
    """Drop events past their thirty days; rows are in order of age."""
    while (oldest := work.books.first(KIND)) and oldest[1]["created"] < work.now - KEPT_S:
        work.books.drop(KIND, oldest[0])
