"""Decides, guards, executes, verifies and reports rollbacks."""

__version__ = "0.1.0"
