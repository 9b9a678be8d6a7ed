"""When a branch has earned that it rolls back without asking: off, unless somebody switches it on."""

from __future__ import annotations

from pydantic import Field

from configfile import Boolean, Integer, Number, Section


class EarnedAutonomy(Section):
    """What a branch needs to rise from L3 to L4; `precision` is for the lower end of its interval.

    0.90 is the guide's: above it is executed without asking. 35 right ones of 35 reach it (Wilson, 95 %).
    """

    enabled: Boolean = False
    precision: Number = Field(default=0.90, gt=0, lt=1)
    approved: Integer = Field(default=20, ge=1)
    """So many of its rollbacks a person must have approved, that helped, and that were reviewed as necessary."""


class OwnEarnedAutonomy(Section):
    """The same for one deployment; what is left out is the file's."""

    enabled: Boolean | None = None
    precision: Number | None = Field(default=None, gt=0, lt=1)
    approved: Integer | None = Field(default=None, ge=1)
