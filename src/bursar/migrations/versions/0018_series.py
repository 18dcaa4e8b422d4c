"""Number series and imports.

Revision ID: 0018
"""

from bursar.migrations.scripts import run_scripts

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("260_series",))
