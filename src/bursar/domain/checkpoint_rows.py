"""What the database keeps of a checkpoint becomes the checkpoint again."""

from bursar.domain import ids
from bursar.domain.checkpoints import Checkpoint
from bursar.domain.rows import Record


def row_to_checkpoint(record: Record) -> Checkpoint:
    """From every column of `audit_checkpoints`."""
    return Checkpoint(
        id=ids.CheckpointId(ids.print_id("chk", record["id"])),
        org_id=ids.OrgId(ids.print_id("org", record["org_id"])),
        position=record["position"],
        hash=record["hash"],
        signature=record["signature"],
        public_key=record["public_key"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
