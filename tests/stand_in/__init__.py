"""A fleet for tests: cards with realistic and with extreme numbers, and a façade that answers."""
