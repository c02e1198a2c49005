"""Whether a message is what its contract says, and how it says what it is."""
