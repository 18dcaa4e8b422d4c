"""A convoy finds its idempotency keys by their index, whatever the size of the table.

Revision ID: 0043
"""

from bursar.migrations.scripts import run_scripts

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("510_used_keys",))
