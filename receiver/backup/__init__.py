"""What is kept before anything is touched, and how it is put back: one kind of source a file."""
