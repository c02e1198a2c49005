"""Dead letters: written, found out about, reported, and sent again."""
