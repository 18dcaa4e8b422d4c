"""The relay reads the log once for a stretch.

Revision ID: 0046
"""

from bursar.migrations.scripts import run_scripts

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("540_relay_reads_once",))
