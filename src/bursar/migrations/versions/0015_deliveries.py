"""Webhook deliveries and the audit log.

Revision ID: 0015
"""

from bursar.migrations.scripts import run_scripts

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("230_deliveries",))
