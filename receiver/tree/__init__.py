"""The decision tree as it stands: what each branch compares with what, for which deployment, and how far it is."""
