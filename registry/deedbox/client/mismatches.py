"""Traffic that is not as registered: the rules by which a guard says so, and the registry shows it."""

from __future__ import annotations

MISMATCHES = {
    "unknown-version": "messages name a version that is not registered",
    "unknown-contract": "messages name a contract that is not registered",
    "unknown-schema": "messages carry the id of a schema that nobody published",
    "no-contract": "messages name no contract, and the channel does not decide",
    "retired-version": "messages are written as a version that is retired",
    "undeclared-channel": "messages are written as a contract that does not name this channel",
    "undeclared-producer": "messages are written as a contract that is not registered as producing",
}
"""What each rule says, in the words that reports use."""
