"""What the agent remembers: tables, and one file of functions for each thing that is remembered."""
