"""Builds the Grafana dashboards out of the rules of the tree, so that no threshold is written twice."""
