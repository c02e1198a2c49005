"""The project file, `deedbox.toml` or `[tool.deedbox]` in `pyproject.toml`: what a service sends and accepts.

A setting is looked up as a flag, then as `DEEDBOX_*`, then here.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deedbox.checker.model import CONTENT_MODELS
from deedbox.cli.errors import ProjectError, SourceUnreadable, UsageError
from deedbox.cli.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "deedbox.toml"
DEFAULT_REGISTRY = "http://127.0.0.1:8080"

KINDS = ("event", "command", "query", "api")
MESSAGE_ROLES = ("produces", "consumes")
API_ROLES = ("provides", "consumes")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_NAME_RULE = "letters, digits, '.', '_' and '-', at most 100, the first a letter or digit"


@dataclass(frozen=True, slots=True)
class Contract:
    """One `[[contract]]`. `file` is as written, `path` where it is; the other fields are as written.

    `root` is the project's folder; None without a project file, and where the file is outside of it.
    `kind` is empty where nobody said it: the document does. `line` is where its table begins, `version_line` where its
    version stands.
    """

    name: str
    service: str
    file: str
    path: Path
    role: str
    kind: str = ""
    format: str | None = None
    of: str | None = None
    channels: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    version: str | None = None
    content_model: str = "tolerant"
    package: str | None = None
    package_style: str = "pydantic"
    package_open_enums: bool = False
    dialect: str | None = None
    root: Path | None = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)
    version_line: int | None = field(default=None, compare=False)

    @property
    def full_name(self) -> str:
        """`service/name`; of a file that no project names, the file."""
        return f"{self.service}/{self.name}" if self.service else self.name


@dataclass(frozen=True, slots=True)
class Project:
    """A project file as read. `root` is its folder, to which the files of its contracts are relative."""

    file: Path
    root: Path
    service: str | None
    registry: str | None
    contracts: tuple[Contract, ...]

    @property
    def shown(self) -> str:
        """The file's path as people see it: relative where it is below the working folder."""
        return show(self.file)


def show(path: Path) -> str:
    """A path relative to the working folder where it is inside of it."""
    cwd = Path.cwd()
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)


def find(start: Path | None = None) -> Path | None:
    """The project file of a folder: there or in one above, up to the root of the repository."""
    folder = (start or Path.cwd()).resolve()
    for candidate in (folder, *folder.parents):
        if own := _file_in(candidate):
            return own
        if _is_repository(candidate):
            return None
    return None


def root_of(folder: Path) -> Path | None:
    """The root of the project that a folder is in: where its project file is, or else the repository's."""
    folder = folder.resolve()
    return next((c for c in (folder, *folder.parents) if _file_in(c) or _is_repository(c)), None)


def _file_in(folder: Path) -> Path | None:
    own, pyproject = folder / FILE, folder / "pyproject.toml"
    if own.is_file():
        return own
    return pyproject if pyproject.is_file() and b"tool.deedbox" in pyproject.read_bytes() else None


def _is_repository(folder: Path) -> bool:
    return (folder / ".git").exists()


def load(config: str | None = None) -> Project | None:
    """The project file: the one given, or `DEEDBOX_CONFIG`, or the one found. None where there is none.

    Raises:
        ProjectError: it is no such file, with the line.
        SourceUnreadable: it cannot be read.
    """
    given = config or os.environ.get("DEEDBOX_CONFIG")
    path = Path(given).resolve() if given else find()
    if path is None:
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceUnreadable(show(path), error.strerror or str(error)) from None
    return read(data, path)


def require(config: str | None = None) -> Project:
    """The project file.

    Raises:
        UsageError: there is none.
    """
    project = load(config)
    if project is None:
        raise UsageError(f"no {FILE} here or above: `deedbox init` writes one")
    return project


def registry_url(flag: str | None, project: Project | None) -> str:
    """The registry's address: the flag, `DEEDBOX_URL`, the project file, or this machine's default port."""
    return flag or os.environ.get("DEEDBOX_URL") or (project and project.registry) or DEFAULT_REGISTRY


def actor() -> str:
    """Who writes: `DEEDBOX_ACTOR`, or the user's name on this machine."""
    if given := os.environ.get("DEEDBOX_ACTOR"):
        return given
    from getpass import getuser

    try:
        return getuser()
    except (OSError, KeyError, ImportError):
        return "anonymous"


def read(data: bytes, path: Path) -> Project:
    """Reads a project file's bytes; `path` is where it is, or would be.

    Raises:
        ProjectError: with the line.
    """
    shown = show(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectError(
            "not UTF-8: save the file as UTF-8", file=shown, line=data.count(b"\n", 0, error.start) + 1
        ) from None
    document = parse_toml(text, shown)
    prefix: tuple[str, ...] = ()
    if path.name == "pyproject.toml":
        prefix = ("tool", "deedbox")
        document = document.get("tool", {}).get("deedbox", {})
        tables: Mapping[str, Any] = {
            "deedbox": {k: v for k, v in document.items() if k != "contract"},
            "contract": document.get("contract", []),
        }
    else:
        tables = document
    return _Reader(shown, path, _lines(text), prefix).project(tables)


def parse_toml(text: str, shown: str) -> dict[str, Any]:
    """Parses TOML.

    Raises:
        ProjectError: with the line.
    """
    import tomllib

    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        reason = re.sub(r" \(at [^)]*\)", "", str(error))
        raise ProjectError(f"not TOML: {reason[:1].lower()}{reason[1:]}", file=shown, line=line) from None


_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]#]+?)\s*\]\]?\s*(?:#.*)?\Z")
_KEY = re.compile(r"""\s*("?)([A-Za-z0-9_-]+)\1\s*=""")


def _lines(text: str) -> dict[tuple[str | int, ...], int]:
    """The line of each table and key, where they stand one a line as people write them."""
    found: dict[tuple[str | int, ...], int] = {}
    table: tuple[str | int, ...] = ()
    counts: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            table = tuple(part.strip().strip("\"'") for part in header[2].split("."))
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, key[2]), number)
    return found


_SETTINGS = ("registry", "service")
_CONTRACT_KEYS = (
    "name",
    "file",
    "format",
    "kind",
    "role",
    "of",
    "channels",
    "groups",
    "version",
    "content-model",
    "dialect",
    "package",
    "package-style",
    "package-open-enums",
)


class _Reader:
    """Turns tables into values, and says where they are wrong."""

    def __init__(
        self, shown: str, path: Path, lines: dict[tuple[str | int, ...], int], prefix: tuple[str, ...]
    ) -> None:
        self.shown, self.path, self.lines, self.prefix = shown, path, lines, prefix

    def fail(self, message: str, *where: str | int) -> ProjectError:
        place = where if not self.prefix else (*self.prefix, *(where[1:] if where[:1] == ("deedbox",) else where))
        line = self.lines.get(place) or self.lines.get(place[:-1])
        return ProjectError(message, file=self.shown, line=line)

    def project(self, tables: Mapping[str, Any]) -> Project:
        for name in tables:
            if name not in ("deedbox", "contract"):
                hint = did_you_mean(name, ("deedbox", "contract")) or " There are [deedbox] and [[contract]]."
                raise self.fail(f"unknown table or key {name!r}.{hint}", name)
        settings = self.table(tables.get("deedbox", {}), ("deedbox",), _SETTINGS)
        service = self.text(settings, "service", "deedbox")
        if service is not None:
            self.check_name(service, "service", "deedbox", "service")
        registry = self.text(settings, "registry", "deedbox")
        if registry is not None and not registry.startswith(("http://", "https://")):
            raise self.fail(f"the registry {registry!r} is no http:// or https:// address", "deedbox", "registry")
        entries = tables.get("contract", [])
        if not isinstance(entries, list):
            raise self.fail("contracts are an array of tables: write [[contract]]", "contract")
        contracts: list[Contract] = []
        for number, entry in enumerate(entries):
            contract = self.contract(entry, number, service)
            if any(other.name == contract.name for other in contracts):
                raise self.fail(f"a second contract {contract.name!r}", "contract", number, "name")
            contracts.append(contract)
        return Project(self.path, self.path.parent, service, registry, tuple(contracts))

    def contract(self, entry: Any, number: int, service: str | None) -> Contract:
        where = ("contract", number)
        table = self.table(entry, where, _CONTRACT_KEYS)
        name, file = self.text(table, "name", *where), self.text(table, "file", *where)
        if name is None or file is None:
            raise self.fail(f"a contract needs a {'name' if name is None else 'file'}", *where, "")
        self.check_name(name, "contract", *where, "name")
        if service is None:
            raise self.fail('contracts need a service: [deedbox] service = "…"', "deedbox")
        kind = self.choice(table, "kind", KINDS, *where) or ""
        known = API_ROLES if kind == "api" else MESSAGE_ROLES if kind else ("provides", *MESSAGE_ROLES)
        role = self.choice(table, "role", known, *where)
        if role is None:
            roles = ", ".join(known[:-1]) + f" or {known[-1]}"
            raise self.fail(f"the contract {name!r} needs a role: {roles}", *where, "")
        version = self.text(table, "version", *where)
        if version is not None:
            self.check_version(version, *where, "version")
        of = self.text(table, "of", *where)
        if of is not None and (of.count("/") != 1 or not all(NAME.match(part) for part in of.split("/"))):
            raise self.fail(f"{of!r} names no contract: write service/name", *where, "of")
        folder, path = self.path.parent, Path(os.path.normpath(self.path.parent / file))
        return Contract(
            name=name,
            service=service,
            file=file,
            path=path,
            role=role,
            kind=kind,
            format=self.text(table, "format", *where),
            of=of,
            channels=self.texts(table, "channels", *where),
            groups=self.texts(table, "groups", *where),
            version=version,
            content_model=self.choice(table, "content-model", CONTENT_MODELS, *where) or "tolerant",
            package=self.text(table, "package", *where),
            package_style=self.style(table, *where),
            package_open_enums=self.flag(table, "package-open-enums", *where),
            dialect=self.choice(table, "dialect", dialects(), *where),
            root=folder if path.is_relative_to(folder) else None,
            line=self.line(*where),
            version_line=self.line(*where, "version"),
        )

    def line(self, *where: str | int) -> int | None:
        return self.lines.get((*self.prefix, *where))

    def table(self, value: Any, where: tuple[str | int, ...], known: tuple[str, ...]) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.fail(f"{where[0]!r} must be a table", *where)
        for key in value:
            if key not in known:
                hint = did_you_mean(key, known) or f" Known are {', '.join(known)}."
                raise self.fail(f"unknown key {key!r}.{hint}", *where, key)
        return value

    def text(self, table: Mapping[str, Any], key: str, *where: str | int) -> str | None:
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            raise self.fail(f"{key} must be a text that is not empty", *where, key)
        return value

    def texts(self, table: Mapping[str, Any], key: str, *where: str | int) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.fail(f'{key} must be a list of texts, as in ["one", "two"]', *where, key)
        return tuple(value)

    def choice(self, table: Mapping[str, Any], key: str, known: tuple[str, ...], *where: str | int) -> str | None:
        value = self.text(table, key, *where)
        if value is not None and value not in known:
            hint = did_you_mean(value, known)
            raise self.fail(f"{key} {value!r} is none of {', '.join(known)}.{hint}", *where, key)
        return value

    def style(self, table: Mapping[str, Any], *where: str | int) -> str:
        if "package-style" not in table:
            return "pydantic"  # code generation takes long to import
        from deedbox.codegen.model import STYLES

        return self.choice(table, "package-style", STYLES, *where) or "pydantic"

    def flag(self, table: Mapping[str, Any], key: str, *where: str | int) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            raise self.fail(f"{key} must be true or false", *where, key)
        return value

    def check_name(self, name: str, what: str, *where: str | int) -> None:
        if not NAME.match(name):
            raise self.fail(f"the {what} name {name!r} is not allowed: {_NAME_RULE}", *where)

    def check_version(self, version: str, *where: str | int) -> None:
        from deedbox.checker.errors import InvalidVersion
        from deedbox.checker.versions import parse

        try:
            parse(version)
        except InvalidVersion as error:
            raise self.fail(error.message, *where) from None


def dialects() -> tuple[str, ...]:
    """The dialects that a document without a known `$schema` may be said to have."""
    from deedbox.checker.json_schema.dialects import DIALECTS

    return tuple(DIALECTS)
