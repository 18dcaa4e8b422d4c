"""Claims of deliveries are planned once a session.

Revision ID: 0045
"""

from bursar.migrations.scripts import run_scripts

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("530_one_plan_for_claims",))
