"""Shorter paths: what makes a hot request cost fewer round trips.

Revision ID: 0004
"""

from bursar.migrations.scripts import run_scripts

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("120_paths",))
