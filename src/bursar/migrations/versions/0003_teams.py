"""Teams: invitations, roles, organization settings, API keys.

Revision ID: 0003
"""

from bursar.migrations.scripts import run_scripts

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("110_teams",))
