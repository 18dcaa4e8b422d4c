"""Mail: what was written to whom, and what became of it.

Revision ID: 0010
"""

from bursar.migrations.scripts import run_scripts

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("180_mails",))
