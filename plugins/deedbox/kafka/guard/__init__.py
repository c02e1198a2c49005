"""The guard, and what it tells the registry of what it sees."""
