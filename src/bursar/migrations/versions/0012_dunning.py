"""Dunning: what is done when a payment fails.

Revision ID: 0012
"""

from bursar.migrations.scripts import run_scripts

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("200_dunning",))
