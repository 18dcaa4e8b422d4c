"""`/v1/reconciliation`: where our books differ from the processor's."""

from bursar.api.envelope import all_of
from bursar.api.fields import NoQuery
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.shapes.reconciliation import DifferenceOut
from bursar.reads.reconciliation import differences
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Reconciliation",
    prefix="/v1/reconciliation",
    about="Our books beside what the payment processor moved.",
)


@ROOM.get("", Terms(needs=Permission.LEDGER_READ, gives=DifferenceOut, is_list=True))
async def list_differences(call: Call[None, NoQuery]) -> Answer:
    """List where our books differ from the processor's, the newest first.

    The processor's own list of movements is read every hour. What can be mended safely is mended by
    it; everything else is here, each with its cause and its repair. An empty list: the books agree.
    """
    return all_of(DifferenceOut.of(each) for each in await call.caller.look(differences))
