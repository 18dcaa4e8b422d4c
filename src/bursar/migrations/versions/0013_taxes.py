"""Taxes, discounts and credit notes.

Revision ID: 0013
"""

from bursar.migrations.scripts import run_scripts

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("210_taxes",))
