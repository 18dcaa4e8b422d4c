"""Payouts, fees and ways to pay.

Revision ID: 0017
"""

from bursar.migrations.scripts import run_scripts

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("250_payouts",))
