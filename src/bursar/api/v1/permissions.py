"""`/v1/permissions`: the one table of who may do what, and what the caller may."""

from bursar.api.envelope import all_of
from bursar.api.fields import NoQuery
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import ROLE_PERMISSIONS, SCOPE_PERMISSIONS, Permission, Role, Standing
from bursar.domain.shapes.fields import Shape
from bursar.reads.members import standing
from bursar.runtime.idempotency import Answer

ROOM = Room("Permissions", prefix="/v1/permissions", about="Who may do what.")


class PermissionOut(Shape, frozen=True, kw_only=True):
    """One permission: which roles and scopes hold it, and whether the caller does."""

    permission: Permission
    roles: tuple[Role, ...]
    scopes: tuple[str, ...]
    is_held: bool

    @classmethod
    def of(cls, permission: Permission, standing: Standing) -> "PermissionOut":
        """The permission's shape, for whoever stands there."""
        return cls(
            permission=permission,
            roles=tuple(role for role, held in ROLE_PERMISSIONS.items() if permission in held),
            scopes=tuple(scope for scope, held in SCOPE_PERMISSIONS.items() if permission in held),
            is_held=permission in standing.permissions,
        )


@ROOM.get("", Terms(needs=Permission.ORG_READ, gives=PermissionOut, is_list=True))
async def list_permissions(call: Call[None, NoQuery]) -> Answer:
    """List every permission a role can hold, with the roles and scopes that do, and oneself."""
    here = await call.caller.look(standing)
    every = frozenset[Permission]().union(*ROLE_PERMISSIONS.values())
    return all_of(PermissionOut.of(each, here) for each in Permission if each in every)
