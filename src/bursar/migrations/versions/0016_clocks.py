"""Test clocks and analytics.

Revision ID: 0016
"""

from bursar.migrations.scripts import run_scripts

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("240_clocks",))
