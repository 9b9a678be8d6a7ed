"""How well the live release explains a fault."""

from __future__ import annotations

from dataclasses import dataclass

SPEAKS = {True: "for", False: "against", None: "not known"}
"""What a clue says of the release as the cause, by whether it fits."""


@dataclass(frozen=True, slots=True)
class Clue:
    """One thing that speaks for the release as the cause (True), against it (False), or is not known (None)."""

    name: str
    fits: bool | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """All clues, always the same ones in the same order."""

    clues: tuple[Clue, ...]

    @property
    def against(self) -> tuple[Clue, ...]:
        """Those that speak against the release."""
        return tuple(clue for clue in self.clues if clue.fits is False)

    @property
    def summary(self) -> str:
        """How many clues speak for the release, against it, and are not known."""
        fit = sum(clue.fits is True for clue in self.clues)
        unknown = sum(clue.fits is None for clue in self.clues)
        return f"{fit} for it, {len(self.against)} against it, {unknown} not known"
