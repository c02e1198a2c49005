"""Comparing documents from outside in processes of their own, with a limit on memory and time."""
