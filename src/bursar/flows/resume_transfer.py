"""The watchdog over `transit`: settles a transfer whose debit stands alone."""

from bursar.domain.ids import TransferId
from bursar.domain.transfers import Transfer
from bursar.operations.transfers import SettleTransfer, settle_transfer
from bursar.runtime.app import Caller


async def resume_transfer(caller: Caller, transfer_id: TransferId) -> Transfer:
    """Settle it; one that is settled already is left as it is."""
    settled = await caller.run(settle_transfer, SettleTransfer(transfer_id))
    if not settled.is_open:
        caller.app.telemetry.transfer_ended(
            outcome=settled.status.value, minor=settled.amount.minor, lasted=settled.lasted
        )
    return settled
