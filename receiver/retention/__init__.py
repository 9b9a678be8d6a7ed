"""What is kept of the past, and the removal of what is beyond that: a kind a file, a function, a metric label."""
