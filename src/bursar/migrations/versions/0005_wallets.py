"""Wallets, holds and movements of stored value.

Revision ID: 0005
"""

from bursar.migrations.scripts import run_scripts

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("130_wallets",))
