"""An endpoint may do without the signature that covers no time.

Revision ID: 0035
"""

from bursar.migrations.scripts import run_scripts

revision = "0035"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("430_webhook_signatures",))
