"""The web page: what the on-call sees and does on a phone at night."""
