"""A relay that finds nothing takes no lock.

Revision ID: 0041
"""

from bursar.migrations.scripts import run_scripts

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("490_relay_looks",))
