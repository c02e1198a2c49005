"""JSON Schema, drafts 4 to 2020-12, as a format of the checker."""
