"""Refunds, disputes and what the processor paid out.

Revision ID: 0011
"""

from bursar.migrations.scripts import run_scripts

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("190_refunds",))
