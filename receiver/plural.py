"""Writes how many there are of something."""


def several(number: int, what: str) -> str:
    """`1 release`, `2 releases`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
