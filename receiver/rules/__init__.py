"""The rules of Prometheus: as files hold them, as a running server has loaded them, and how the two differ."""
