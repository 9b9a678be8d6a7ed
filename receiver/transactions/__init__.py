"""Whether a transaction is open in the databases of a deployment: one way of finding out a file."""
