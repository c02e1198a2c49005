"""AsyncAPI 2 and 3: channels, operations and messages, each message compared in the direction of its operation."""
