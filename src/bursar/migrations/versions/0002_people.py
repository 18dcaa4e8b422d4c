"""People: verification, resets, sessions, second factors, throttles.

Revision ID: 0002
"""

from bursar.migrations.scripts import run_scripts

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("100_people",))
