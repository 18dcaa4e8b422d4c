"""What an endpoint that asks for everything is spared: checkpoints of the log.

Revision ID: 0040
"""

from bursar.migrations.scripts import run_scripts

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("480_wanted_events",))
