"""Lists of the console as people saved them: which list, its filters and order, under a name.

Revision ID: 0039
"""

from bursar.migrations.scripts import run_scripts

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("470_saved_views",))
