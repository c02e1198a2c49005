"""`check`: each contract of a project against what it is to be compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from deedbox.checker.errors import CheckerError
from deedbox.checker.formats import APIS, detect
from deedbox.cli import accepted
from deedbox.cli.comparing import check_change, failure
from deedbox.cli.documents import Git, read_document
from deedbox.cli.errors import ProjectError, SourceUnreadable, UsageError
from deedbox.cli.judging import Baseline, judge_here
from deedbox.cli.progress import track
from deedbox.cli.project import Contract, Project, read, registry_url, show
from deedbox.client.errors import ClientError, is_unavailable
from deedbox.client.folders import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deedbox.checker.documents import Document
    from deedbox.checker.policy import Acceptance
    from deedbox.cli.report import Change, Failure
    from deedbox.client import RegistryClient
    from deedbox.client.values import CheckResult


class Against(Protocol):
    """Something to check against."""

    @property
    def label(self) -> str:
        """How reports name it."""
        ...

    def judge(
        self, contract: Contract, document: Document, acceptances: Sequence[Acceptance]
    ) -> tuple[CheckResult, Document | None]:
        """The gate's answer, and the old document where the user has it as a file.

        Raises:
            CheckerError, SourceUnreadable, ClientError: this contract cannot be judged.
            CliError: none can.
        """
        ...


def select(project: Project | None, paths: Sequence[str], *, loose: bool) -> list[Contract]:
    """The contracts that paths name: by file, or all below a folder; without paths all of the project.

    `loose` lets a file that no contract names stand for itself.

    Raises:
        UsageError: nothing to check, or a path that no contract names.
    """
    known = project.contracts if project is not None else ()
    if not paths:
        if project is None:
            raise UsageError("no deedbox.toml here or above, and no file given: `deedbox init` writes one")
        if not known:
            raise UsageError(f"{project.shown} has no [[contract]]: there is nothing to check")
        return list(known)
    found: dict[Path, Contract] = {}
    for given in paths:
        path = Path(given).resolve()
        below = [c for c in known if c.path.resolve() == path or c.path.resolve().is_relative_to(path)]
        if not below and not (loose and path.is_file()):
            where = project.shown if project is not None else "deedbox.toml"
            hint = "" if path.exists() else ", and there is no such file"
            raise UsageError(f"{given}: no contract in {where} names it{hint}")
        for contract in below or [Contract(name=given, service="", file=given, path=path, role="")]:
            found[contract.path] = contract
    return list(found.values())


def against(text: str, project: Project | None, client: RegistryClient | None) -> Against:
    """What `--against` names.

    Raises:
        UsageError: it names nothing.
    """
    kind, colon, rest = text.partition(":")
    if colon and kind == "registry":
        assert client is not None
        if rest == "latest":
            return RegistryLatest(client)
        from deedbox.checker.versions import parse

        parse(rest)
        return RegistryVersion(client, rest)
    root = project.root if project is not None else Path.cwd()
    if colon and kind == "git":
        return AtRevision(Git(rest, root), project)
    path = Path(text)
    if not path.exists():
        raise UsageError(f"--against {text}: write registry:latest, registry:VERSION, git:REF, or a file or folder")
    return AtPath(path, root)


def check_all(
    contracts: Sequence[Contract],
    baseline: Against,
    project: Project | None,
    observe: Callable[[Contract, Change], Change] | None = None,
) -> tuple[list[Change], list[Failure]]:
    """Judges each contract. One that cannot be judged is a failure, and the others go on.

    Args:
        contracts: which.
        baseline: what they are compared with.
        project: whose acceptances count.
        observe: adds to a change what live messages say of it.

    Raises:
        ProjectError: the acceptances cannot be read.
    """
    acceptances = accepted.read(project.root if project is not None else Path.cwd())
    changes: list[Change] = []
    failures: list[Failure] = []
    away: ClientError | None = None
    for contract in track(contracts, "Checking"):
        shown, document = show(contract.path), None
        try:
            document = read_contract(contract)
            if away is not None:
                raise away  # it was asked with patience once: not again for every contract
            result, old = baseline.judge(contract, document, acceptances)
        except (CheckerError, SourceUnreadable) as error:
            failures.append(failure(error, contract.full_name, shown))
        except ClientError as error:
            away = error if is_unavailable(error) else away
            failures.append(failure(error, contract.full_name, shown, document))
        else:
            change = check_change(
                result,
                against=baseline.label,
                content_model=contract.content_model,
                old=old,
                new=document,
                accepted=acceptances,
            )
            changes.append(observe(contract, change) if observe is not None else change)
    return changes, failures


def read_contract(contract: Contract) -> Document:
    """The document of a contract's file.

    Raises:
        SourceUnreadable, DocumentError: with the place.
    """
    return read_document(contract.path, show(contract.path), contract.dialect, contract.root)


def request_of(contract: Contract, document: Document) -> dict[str, Any]:
    """A contract as the API takes it: what the project file does not say, the registry keeps as it was."""
    fields: dict[str, Any] = {
        "contract": contract.full_name,
        "schema": text_of(document),
        "role": contract.role,
        "kind": contract.kind or ("api" if detect(document) in APIS else "event"),
        "channels": list(contract.channels),
        "groups": list(contract.groups),
        "content_model": contract.content_model,
    }
    optional = {
        "version": contract.version,
        "of": contract.of,
        "format": contract.format,
        "dialect": contract.dialect,
        "package": contract.package,
        "package_style": contract.package_style if contract.package is not None else None,
        "package_open_enums": contract.package_open_enums or None,
    }
    return fields | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, slots=True)
class RegistryLatest:
    """The registry's own gate: what is published, live and linked."""

    client: RegistryClient
    label: str = "registry:latest"

    def judge(
        self, contract: Contract, document: Document, acceptances: Sequence[Acceptance]
    ) -> tuple[CheckResult, Document | None]:
        """Asks the registry."""
        request = request_of(contract, document)
        return self.client.check([request], [accepted.as_json(a) for a in acceptances])[0], None


@dataclass(frozen=True, slots=True)
class RegistryVersion:
    """One published version, compared here. Links are not looked at."""

    client: RegistryClient
    version: str

    @property
    def label(self) -> str:
        """How reports name it."""
        return f"registry:{self.version}"

    def judge(
        self, contract: Contract, document: Document, acceptances: Sequence[Acceptance]
    ) -> tuple[CheckResult, Document | None]:
        """Fetches the version and compares."""
        from deedbox.checker import load_document

        name = f"{contract.full_name} {self.version}"
        old = load_document(self.client.schema(contract.full_name, self.version), name)
        return judge_here(contract, document, Baseline(old, self.version), acceptances), None


@dataclass(frozen=True, slots=True)
class AtRevision:
    """The same files at a git revision; versions are those of the project file there."""

    git: Git
    project: Project | None

    @property
    def label(self) -> str:
        """How reports name it."""
        return f"git:{self.git.revision}"

    def judge(
        self, contract: Contract, document: Document, acceptances: Sequence[Acceptance]
    ) -> tuple[CheckResult, Document | None]:
        """Reads the file at the revision and compares."""
        before = self._contract(contract)
        path = (before or contract).path
        old = self.git.document(path, show(path), contract.dialect, contract.root)
        if old is None:
            return judge_here(contract, document, None, acceptances), None
        return judge_here(
            contract, document, Baseline(old, before.version if before is not None else None), acceptances
        ), None

    def _contract(self, contract: Contract) -> Contract | None:
        """The contract as the project file of the revision had it: its file may have had another name."""
        if self.project is None or not contract.service:
            return None
        data = self.git.read(self.project.file)
        if data is None:
            return None
        try:
            then = read(data, self.project.file)
        except ProjectError as error:
            there = f"{error.file}@{self.git.revision}"
            raise ProjectError(error.message, file=there, line=error.line) from None
        return next((c for c in then.contracts if c.name == contract.name), None)


@dataclass(frozen=True, slots=True)
class AtPath:
    """A file, or a folder that has the contract files under the same names."""

    path: Path
    root: Path

    @property
    def label(self) -> str:
        """How reports name it."""
        return str(self.path)

    def judge(
        self, contract: Contract, document: Document, acceptances: Sequence[Acceptance]
    ) -> tuple[CheckResult, Document | None]:
        """Reads the other file and compares."""
        path = self.path
        if path.is_dir():
            own = contract.path.resolve()
            inside = own.relative_to(self.root.resolve()) if own.is_relative_to(self.root.resolve()) else None
            candidates = [path / inside] if inside is not None else []
            candidates.append(path / contract.path.name)
            there = next((candidate for candidate in candidates if candidate.is_file()), None)
            if there is None:
                return judge_here(contract, document, None, acceptances), None
            path = there
        old = read_document(path, show(path.resolve()), contract.dialect)
        return judge_here(contract, document, Baseline(old, None), acceptances), old


def client_for(project: Project | None, registry: str | None) -> RegistryClient:
    """A client of the registry that flag, environment or project file name."""
    from deedbox.cli.project import actor
    from deedbox.client import RegistryClient

    return RegistryClient(registry_url(registry, project), actor=actor())
