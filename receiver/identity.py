"""Who asks: the roles, and a name with the role that it was proven to have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do; an operator may do what a viewer may, and otherwise no role includes another."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    PIPELINE = "pipeline"
    WEBHOOK = "webhook"

    def includes(self, wanted: Role) -> bool:
        """Whether who has this role may do what `wanted` may."""
        return self is wanted or (self is Role.OPERATOR and wanted is Role.VIEWER)


class Proof(StrEnum):
    """How a name was proven."""

    TOKEN = "token"  # noqa: S105 - the word, not one of them
    PASSWORD = "password"  # noqa: S105
    CERTIFICATE = "certificate"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who has proven who they are."""

    name: str
    role: Role
    via: Proof

    def may(self, *roles: Role) -> bool:
        """Whether this role includes one of `roles`."""
        return any(self.role.includes(role) for role in roles)
