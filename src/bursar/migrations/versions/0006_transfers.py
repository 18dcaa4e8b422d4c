"""Transfers between wallets and the complete ledger.

Revision ID: 0006
"""

from bursar.migrations.scripts import run_scripts

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("140_transfers",))
