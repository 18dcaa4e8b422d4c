"""The billing run and its roll-ups.

Revision ID: 0009
"""

from bursar.migrations.scripts import run_scripts

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("170_billing",))
