"""Looks beforehand for what would keep a rollback from happening, and says what to do about each."""
