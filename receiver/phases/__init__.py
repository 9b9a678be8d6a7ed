"""The phases of a run, one a file: each takes the run and its world and returns an outcome."""
