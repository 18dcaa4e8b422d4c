"""What the console remembers for its readers.

Revision ID: 0021
"""

from bursar.migrations.scripts import run_scripts

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("290_console",))
