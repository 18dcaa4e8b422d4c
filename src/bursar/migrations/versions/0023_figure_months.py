"""Figures by month.

Revision ID: 0023
"""

from bursar.migrations.scripts import run_scripts

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("310_figure_months",))
