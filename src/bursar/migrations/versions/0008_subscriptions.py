"""Subscriptions, coupons and billed periods.

Revision ID: 0008
"""

from bursar.migrations.scripts import run_scripts

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("160_subscriptions",))
