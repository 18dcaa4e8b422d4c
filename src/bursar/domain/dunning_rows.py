"""What the database keeps of dunning becomes cases and policies again."""

import msgspec

from bursar.domain import ids
from bursar.domain.dunning import DunningCase, Resolution
from bursar.domain.dunning_policies import DunningAction, DunningPolicy
from bursar.domain.provider import DeclineKind
from bursar.domain.rows import Record


def row_to_dunning_case(record: Record) -> DunningCase:
    """From every column of `dunning_cases`."""
    subscription_id, resolution = record["subscription_id"], record["resolution"]
    kind = record["decline_kind"]
    return DunningCase(
        id=ids.DunningCaseId(ids.print_id("dun", record["id"])),
        invoice_id=ids.InvoiceId(ids.print_id("inv", record["invoice_id"])),
        customer_id=ids.CustomerId(ids.print_id("cust", record["customer_id"])),
        subscription_id=None
        if subscription_id is None
        else ids.SubscriptionId(ids.print_id("sub", subscription_id)),
        policy=msgspec.json.decode(record["policy"], type=DunningPolicy),
        step=record["step"],
        retry_count=record["retry_count"],
        current_action=DunningAction(record["current_action"]),
        next_at=record["next_at"],
        decline_kind=None if kind is None else DeclineKind(kind),
        decline_code=record["decline_code"],
        blocked_method=record["blocked_method"],
        rested_at=record["rested_at"],
        paused_at=record["paused_at"],
        pause_reason=record["pause_reason"],
        resolved_at=record["resolved_at"],
        resolution=None if resolution is None else Resolution(resolution),
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
