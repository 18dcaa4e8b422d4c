"""Plans, prices, meters and usage.

Revision ID: 0007
"""

from bursar.migrations.scripts import run_scripts

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("150_catalog",))
