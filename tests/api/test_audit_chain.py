"""The chain over the audit log is followed over HTTP, a part at a time."""

import pytest
from tests.api.client import Client
from tests.support.world import Org, World


async def test_the_chain_is_followed_in_parts(owner: Client, org: Org, world: World) -> None:
    # Each answer says where to go on; the last one says that the chain ends there.
    await org.invoice(await org.customer(None))
    await world.seal()
    whole = (await owner.get("/v1/audit-log/verify")).value
    assert whole["isIntact"]
    assert (whole["nextPosition"], whole["offenders"]) == (None, [])
    part = (await owner.get("/v1/audit-log/verify?limit=2")).value
    assert (part["lastPosition"], part["nextPosition"]) == (2, 2)
    rest = (await owner.get("/v1/audit-log/verify?afterPosition=2")).value
    assert (rest["lastHash"], rest["headPosition"]) == (whole["lastHash"], whole["headPosition"])


@pytest.mark.parametrize("position", [999, 9_007_199_254_740_991])
async def test_a_position_that_is_not_there_is_refused(owner: Client, position: int) -> None:
    # By the name of the parameter; the largest that the document allows is read as a number too.
    answer = await owner.get(f"/v1/audit-log/verify?afterPosition={position}")
    assert (answer.status, answer.fields) == (400, {"afterPosition"})
    assert answer.error["details"][0]["code"] == "unknown_position"
