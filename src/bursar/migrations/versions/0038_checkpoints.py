"""Checkpoints of the log, told to whom it is about.

Revision ID: 0038
"""

from bursar.migrations.scripts import run_scripts

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("460_checkpoints",))
