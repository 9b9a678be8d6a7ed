"""Replays history through the rules: promtool evaluates them, and what they decide is set beside reviews."""
