"""Looks into a directory that somebody wants watched, and writes the configuration that fits what is there."""
