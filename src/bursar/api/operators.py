"""Who runs this installation, among all who are signed in; for others there is nothing here.

An operator acts as the installation itself, under a name of their own in every record.
"""

from bursar.domain.access import Person, System
from bursar.domain.frozen import replace
from bursar.domain.refusals import NotFound
from bursar.reads.members import me
from bursar.runtime.app import Caller


async def as_operator(caller: Caller) -> Caller:
    """The same caller with the rights of whoever runs this installation.

    Raises:
        NotFound: somebody else; they are not told that there is anything.
    """
    person = caller.actor
    if not isinstance(person, Person) or not (await caller.look(me)).user.is_operator:
        raise NotFound("There is nothing at this address.")
    return replace(caller, org_id=None, actor=System(f"operator:{person.user_id}"))
