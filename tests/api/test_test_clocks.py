"""`/v1/test-clock` as a caller sees it."""

from tests.api.client import Client
from tests.support.world import Org, World

PATH = "/v1/test-clock"
START = "2026-01-31T09:30:00.000Z"


async def test_a_clock_is_stopped_sent_and_let_go(owner: Client, world: World) -> None:
    # 202 with progress while it is on its way; ready when it has arrived; then real time.
    before = await owner.get(PATH)
    assert (before.value["status"], before.value["frozen"]) == ("ready", False)
    stopped = await owner.post(PATH, {"now": START})
    assert (stopped.status, stopped.headers["location"]) == (201, PATH)
    assert stopped.value == {
        "object": "test_clock",
        "now": START,
        "status": "ready",
        "frozen": True,
        "progress": None,
    }
    sent = await owner.post(f"{PATH}/advance", {"by": "1 month"})
    assert (sent.status, sent.value["status"], sent.value["now"]) == (202, "advancing", START)
    target = "2026-02-28T09:30:00.000Z"
    way = {"departedAt": START, "targetAt": target, "percent": 0, "pending": 0}
    assert sent.value["progress"] == way
    again = await owner.post(f"{PATH}/advance", {"to": "2026-03-01T00:00:00Z"})
    assert (again.status, again.error["docUrl"].rpartition("#")[2]) == (409, "clock_advancing")
    await world.pass_time()
    there = await owner.get(PATH)
    assert (there.value["now"], there.value["status"]) == (target, "ready")
    released = await owner.post(f"{PATH}/release")
    assert (released.status, released.value["frozen"]) == (200, False)
    assert released.value["now"] > target


async def test_what_a_clock_does_not_do(owner: Client, org: Org) -> None:
    # It names the field, or says in which state it is.
    await org.freeze()
    for body, fields in (
        ({}, {"to"}),
        ({"to": "2099-01-01T00:00:00Z"}, {"to"}),
        ({"by": "1 month", "to": START}, {"by"}),
        ({"by": "1 fortnight"}, {"by"}),
        ({"by": "9999 months"}, {"by"}),
        ({"to": "tomorrow"}, {"to"}),
    ):
        refused = await owner.post(f"{PATH}/advance", body)
        assert (refused.status, refused.fields) == (400, fields), refused.body
    back = await owner.post(f"{PATH}/advance", {"to": START})
    assert (back.status, back.error["docUrl"].rpartition("#")[2]) == (409, "clock_runs_forward")
    twice = await owner.post(PATH, {})
    assert twice.status == 409
