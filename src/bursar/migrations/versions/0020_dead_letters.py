"""What an operator does with queues.

Revision ID: 0020
"""

from bursar.migrations.scripts import run_scripts

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("280_dead_letters",))
