"""What turns parts into answers. Each engine is its own module and its own door."""
