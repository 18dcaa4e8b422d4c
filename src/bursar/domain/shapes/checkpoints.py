"""A checkpoint of the log, as an organization is told it."""

from typing import Annotated, Literal

from bursar.domain.checkpoints import Checkpoint
from bursar.domain.shapes.fields import Shape, WireInstant, shown_as
from bursar.domain.times import wire_instant


class CheckpointOut(Shape, frozen=True, kw_only=True):
    """The head of your log's hash chain.

    `signature` is by Ed25519 with `publicKey`, over the text `organizationId|position|hash`; all
    three are in hex.
    """

    id: str
    object: Literal["audit_checkpoint"] = "audit_checkpoint"
    organization_id: str
    position: int
    hash: Annotated[str, shown_as("9f" * 32)]
    signature: Annotated[str, shown_as("5a" * 64)]
    public_key: Annotated[str, shown_as("d7" * 32)]
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "CheckpointOut":
        """The checkpoint's shape."""
        return cls(
            id=checkpoint.id,
            organization_id=checkpoint.org_id,
            position=checkpoint.position,
            hash=checkpoint.hash.hex(),
            signature=checkpoint.signature.hex(),
            public_key=checkpoint.public_key.hex(),
            version=checkpoint.version,
            created_at=wire_instant(checkpoint.created_at),
            updated_at=wire_instant(checkpoint.updated_at),
        )
