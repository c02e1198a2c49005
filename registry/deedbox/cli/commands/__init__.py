"""The commands, one module each. Module and function are named as the command, with `_` for `-`."""
