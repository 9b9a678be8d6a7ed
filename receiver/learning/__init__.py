"""What is learned from incidents that people have reviewed."""
