"""Adapters: each reads a deployment's live release and known releases, and gives the command of a plan."""
