"""Filters of the event log pass over what they do not want.

Revision ID: 0031
"""

from bursar.migrations.scripts import run_scripts

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("390_event_filters",))
