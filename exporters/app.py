"""Serves the exporters' metrics over HTTP."""
