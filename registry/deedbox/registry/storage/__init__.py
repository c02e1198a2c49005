"""Rows: typed models, queries, migrations. Knows no web framework."""
