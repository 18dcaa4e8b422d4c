"""What every save has in common: a row replaces exactly the version before it."""

from bursar.domain.events import Row
from bursar.domain.refusals import StaleVersion


def replaced(row: Row, touched: int) -> None:
    """Check that the statement found the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    if touched != 1:
        raise StaleVersion(f"{row.id} was changed by somebody else; read it again.")
