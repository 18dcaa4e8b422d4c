"""Hosted pages and documents, further.

Revision ID: 0022
"""

from bursar.migrations.scripts import run_scripts

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("300_hosted",))
