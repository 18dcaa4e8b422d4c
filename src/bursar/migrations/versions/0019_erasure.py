"""Erasure of a person's data, and the archive of old partitions.

Revision ID: 0019
"""

from bursar.migrations.scripts import run_scripts

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("270_erasure",))
