"""Usage is found by its key.

Revision ID: 0030
"""

from bursar.migrations.scripts import run_scripts

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("380_usage_indexes",))
