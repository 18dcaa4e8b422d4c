"""A lease from a clock that has been put back holds nobody up.

Revision ID: 0036
"""

from bursar.migrations.scripts import run_scripts

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("440_stray_leases",))
