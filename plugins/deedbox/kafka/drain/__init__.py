"""Evidence for drains: where logs begin and end, and where consumers stand. The claim itself is `checker.drain`'s."""
