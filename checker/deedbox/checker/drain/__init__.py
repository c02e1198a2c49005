"""Drains: may an obsolete field go? Pure: evidence in, a claim with its reasons out. No broker, no database, no clock."""
