"""Measures what the project promises about speed, side by side with programs that many run for the same."""
