"""Knows which commit this process runs; read once at the start, since `current` may move on under it."""

from __future__ import annotations

from pathlib import Path

REVISION = (Path(__file__).resolve().parent.parent / "REVISION").read_text().strip()
