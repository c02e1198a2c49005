"""The command line: one module a command in `commands/`. It reads files, asks checker or registry, prints."""
