"""Settings of the server, in one place: their names, defaults and meaning. `docs/configuration.md` is printed from here.

`python -m deedbox.registry.config` prints that page.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from deedbox.registry.errors import ConfigurationError

PREFIX = "DEEDBOX_"


def _setting(default: Any, doc: str, least: int | None = None) -> Any:
    return field(default=default, metadata={"doc": doc, "least": least})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server can be told. Each field is read from `DEEDBOX_` and its name in capitals."""

    database_url: str = _setting(
        "sqlite:///deedbox.db",
        "Where everything is kept, as an SQLAlchemy URL. SQLite in the working folder by default; "
        "`postgresql+psycopg://user:password@host/name` for more than one node.",
    )
    host: str = _setting("127.0.0.1", "The address to listen on.")
    port: int = _setting(8080, "The port to listen on. 0 picks a free one.", 0)
    workers: int = _setting(1, "Server processes. Any number may share one database.", 1)
    threads: int = _setting(16, "Requests that one server process works on at once.", 1)
    max_body_bytes: int = _setting(
        16 * 1024 * 1024, "The longest request body, in bytes. A longer one is a 413 problem.", 1024
    )
    compare_workers: int = _setting(
        2, "Processes per server process that compare documents, apart from those that answer requests.", 1
    )
    compare_seconds: int = _setting(
        10,
        "Wall-clock seconds that one comparison may take in its process. Past them the process is killed, the "
        "comparison tried once more without the set algebra, and then reported as undecided.",
        1,
    )
    compare_memory_mb: int = _setting(
        1024, "Address space of a comparing process, in MiB. Running out is treated like running out of time.", 256
    )
    compare_queue_seconds: int = _setting(
        30, "Seconds that a request waits for a free comparing process before it is told to come back (503).", 1
    )
    busy_seconds: int = _setting(
        30, "Seconds that a write waits for the writers before it, and a connection for the database.", 1
    )
    job_workers: int = _setting(
        1,
        "Jobs (building packages) that one server process works on at once, beside answering requests. 0 where "
        "`deedbox worker` does it elsewhere, which then has as many, at least 1.",
        0,
    )
    job_attempts: int = _setting(5, "How often a job is tried before it is given up, with the reason.", 1)
    job_lease_seconds: int = _setting(
        30, "How long after the death of its worker a job is left alone before another worker goes on with it.", 1
    )
    build_seconds: int = _setting(60, "Seconds that building one package may take before it is stopped.", 1)
    package_prefix: str = _setting(
        "", "What the name of every package of a contract starts with, such as `acme`: see docs/packages.md."
    )
    npm_modules: str = _setting(
        "",
        "A folder in whose `node_modules` json-schema-to-typescript is. Where it and node are found, releases make npm "
        "packages too.",
    )
    npm_scope: str = _setting("", "The scope of npm packages, without the `@`: `acme` makes them `@acme/NAME`.")
    log_level: str = _setting("info", "`debug`, `info`, `warning` or `error`.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Settings from `DEEDBOX_*`; an override that is not None wins.

        Raises:
            ConfigurationError: a value that is no whole number where one is needed, or out of range.
        """
        environment = os.environ if environment is None else environment
        given: dict[str, Any] = {}
        for setting in fields(cls):
            text = environment.get(PREFIX + setting.name.upper())
            value = overrides.get(setting.name)
            if value is None and text is not None and text != "":
                value = _number(setting.name, text) if isinstance(setting.default, int) else text
            if value is not None:
                given[setting.name] = value
        settings = cls(**given)
        settings.check()
        return settings

    def check(self) -> None:
        """Refuses values that cannot work.

        Raises:
            ConfigurationError: names the variable and what it allows.
        """
        for setting in fields(self):
            least, value = setting.metadata["least"], getattr(self, setting.name)
            if least is not None and value < least:
                raise ConfigurationError(f"{PREFIX}{setting.name.upper()} is {value}: it must be at least {least}")
        if self.log_level not in ("debug", "info", "warning", "error"):
            raise ConfigurationError(f"{PREFIX}LOG_LEVEL is {self.log_level!r}: use debug, info, warning or error")

    def to_environment(self) -> dict[str, str]:
        """The same settings as environment variables, for a server in another process."""
        return {PREFIX + s.name.upper(): str(getattr(self, s.name)) for s in fields(self)}


def page() -> str:
    """The text of `docs/configuration.md`."""
    lines = [
        "# Configuration of the server",
        "",
        "Every setting is an environment variable. This page is printed by `python -m deedbox.registry.config`.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for s in fields(Settings):
        default = f"`{s.default}`" if s.default != "" else "none"
        lines.append(f"| `{PREFIX}{s.name.upper()}` | {default} | {s.metadata['doc']} |")
    return "\n".join(lines) + "\n"


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(f"{PREFIX}{name.upper()} is {text!r}: it must be a whole number") from None


if __name__ == "__main__":
    print(page(), end="")
