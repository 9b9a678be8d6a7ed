"""Drills: a fault is brought about on purpose, or only its alert, and what the agent makes of it is judged."""
