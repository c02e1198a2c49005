"""Modules that are copied into every package as they are. They import nothing of Deedbox."""
