"""The command line: one module a command in `commands/`. It reads files, asks the checker or the registry, prints."""
