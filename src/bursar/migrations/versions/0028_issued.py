"""What documents were issued with.

Revision ID: 0028
"""

from bursar.migrations.scripts import run_scripts

revision = "0028"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("360_issued",))
