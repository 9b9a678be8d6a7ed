"""The incident report of a run."""
