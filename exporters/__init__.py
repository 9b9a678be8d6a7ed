"""Turns health checks and access logs into Prometheus metrics."""
