"""The last print of each document is kept.

Revision ID: 0037
"""

from bursar.migrations.scripts import run_scripts

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("450_prints",))
