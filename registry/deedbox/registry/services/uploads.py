"""Reading a file that somebody uploads to the index: what it is, and whether it is whole and says the truth."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from deedbox.registry.errors import UnusableFile
from packaging.metadata import InvalidMetadata, Metadata, parse_email
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Mapping

WHEEL, SDIST = "wheel", "sdist"
DIGESTS = ("sha256", "blake2_256", "md5")
"""What an upload may say of its file's bytes; each that is said is checked."""

_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,299}")
_MOST_METADATA = 4 << 20
_MOST_UNPACKED = 256 << 20
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as sent. `digests` are those of `DIGESTS` that came with it, in hexadecimal."""

    filename: str
    content: bytes
    name: str | None = None
    version: str | None = None
    digests: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file says of itself: normalised name and version, and a wheel's `METADATA`, which the index serves apart."""

    filename: str
    kind: str
    project: str
    version: str
    requires_python: str | None
    metadata: bytes | None


def read_upload(upload: Upload) -> FileFacts:
    """The facts of a wheel or an sdist, once its name, its metadata and its digests agree.

    Raises:
        UnusableFile: says what is wrong, and where.
    """
    for algorithm, said in (upload.digests or {}).items():
        found = _digest(algorithm, upload.content)
        if said.lower() != found:
            raise UnusableFile(
                f"{upload.filename} arrived with the {algorithm} {found}, not {said[:80]}: upload it again",
                pointer=f"/{algorithm}_digest",
            )
    kind, project, version = _from_filename(upload.filename)
    data = _wheel_metadata(upload, project, version) if kind == WHEEL else _sdist_metadata(upload)
    metadata = _parsed(data, upload.filename)
    _agree(upload, metadata, project, version)
    # As it was written: a specifier that was read gives its clauses in another order.
    requires = parse_email(data)[0].get("requires_python") if metadata.requires_python is not None else None
    if requires is not None and len(requires) > _LONGEST_NAME:
        raise UnusableFile(f"{upload.filename}: Requires-Python is longer than {_LONGEST_NAME} characters")
    return FileFacts(upload.filename, kind, project, str(version), requires, data if kind == WHEEL else None)


def _digest(algorithm: str, content: bytes) -> str:
    if algorithm == "blake2_256":
        return hashlib.blake2b(content, digest_size=32).hexdigest()
    if algorithm == "md5":
        return hashlib.md5(content, usedforsecurity=False).hexdigest()
    return hashlib.sha256(content).hexdigest()


def _from_filename(filename: str) -> tuple[str, str, Version]:
    if not _FILENAME.fullmatch(filename):
        raise UnusableFile(
            f"{ascii(filename)[:120]} is no file name of a package: letters, digits and '.', '_', '-', '+', '!' of ASCII",
            pointer="/content",
        )
    try:
        if filename.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(filename)
            kind = WHEEL
        elif filename.endswith(".tar.gz"):
            name, version = parse_sdist_filename(filename)
            kind = SDIST
        else:
            raise UnusableFile(
                f"{filename} is neither a wheel (.whl) nor a source distribution (.tar.gz)", pointer="/content"
            )
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise UnusableFile(f"{filename}: {error}", pointer="/content") from None
    if len(name) > _LONGEST_NAME or len(str(version)) > _LONGEST_NAME:
        raise UnusableFile(f"{filename}: name and version are at most {_LONGEST_NAME} characters", pointer="/content")
    return kind, name, version


def _wheel_metadata(upload: Upload, project: str, version: Version) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(upload.content)) as archive:
            folders = {n.partition("/")[0] for n in archive.namelist() if n.partition("/")[0].endswith(".dist-info")}
            if len(folders) != 1:
                raise UnusableFile(f"{upload.filename} has {len(folders)} .dist-info folders: a wheel has one")
            folder = folders.pop()
            own = folder.removesuffix(".dist-info").rpartition("-")
            if canonicalize_name(own[0]) != project or _version(own[2]) != version:
                raise UnusableFile(f"{upload.filename} is of {project} {version}, but has the folder {folder}")
            for needed in ("WHEEL", "RECORD", "METADATA"):
                if f"{folder}/{needed}" not in archive.namelist():
                    raise UnusableFile(f"{upload.filename} has no {folder}/{needed}: build it again")
            with archive.open(f"{folder}/METADATA") as stream:
                return _bounded(stream, upload.filename)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise UnusableFile(f"{upload.filename} is no whole wheel: {error}", pointer="/content") from None


def _sdist_metadata(upload: Upload) -> bytes:
    root = upload.filename.removesuffix(".tar.gz")
    try:
        with (
            gzip.GzipFile(fileobj=io.BytesIO(upload.content)) as unpacked,
            tarfile.open(fileobj=_Limited(unpacked, upload.filename), mode="r|") as archive,
        ):
            found: bytes | None = None
            for member in archive:  # to the end, which shows that nothing was cut off
                if member.isfile() and member.name.removeprefix("./").count("/") == 1:
                    top, _, name = member.name.removeprefix("./").partition("/")
                    if name == "PKG-INFO" and canonicalize_name(top) == canonicalize_name(root):
                        stream = archive.extractfile(member)
                        assert stream is not None, "it is a file"
                        found = _bounded(stream, upload.filename)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise UnusableFile(f"{upload.filename} is no whole source distribution: {error}", pointer="/content") from None
    if found is None:
        raise UnusableFile(f"{upload.filename} has no {root}/PKG-INFO: build it again", pointer="/content")
    return found


class _Limited(io.BufferedIOBase):
    """A stream that ends with an error where far more comes out of it than a package has."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, filename: str) -> None:
        self._stream, self._filename, self._left = stream, filename, _MOST_UNPACKED

    def read(self, size: int | None = -1, /) -> bytes:
        """As of any stream.

        Raises:
            UnusableFile: more came out than may.
        """
        data = self._stream.read(-1 if size is None else size)
        self._left -= len(data)
        if self._left < 0:
            raise UnusableFile(f"{self._filename} unpacks to more than {_MOST_UNPACKED >> 20} MiB", pointer="/content")
        return data


def _bounded(stream: IO[bytes], filename: str) -> bytes:
    data = stream.read(_MOST_METADATA + 1)
    if len(data) > _MOST_METADATA:
        raise UnusableFile(f"{filename}: its metadata is longer than {_MOST_METADATA >> 20} MiB", pointer="/content")
    return data


def _parsed(data: bytes, filename: str) -> Metadata:
    try:
        return Metadata.from_email(data, validate=True)
    except ExceptionGroup as group:
        raise UnusableFile(
            f"{filename}: its metadata cannot be used: {'; '.join(str(e) for e in group.exceptions)[:500]}",
            pointer="/content",
        ) from None
    except (InvalidMetadata, ValueError) as error:
        raise UnusableFile(f"{filename}: its metadata cannot be used: {str(error)[:500]}", pointer="/content") from None


def _agree(upload: Upload, metadata: Metadata, project: str, version: Version) -> None:
    """Refuses a file that calls itself otherwise than its name does, or than the upload did."""
    for what, field, own, expected in (
        ("name", "/content", canonicalize_name(metadata.name), project),
        ("version", "/content", str(metadata.version), str(version)),
    ):
        if own != expected:
            raise UnusableFile(
                f"{upload.filename} is called {expected}, but its metadata give the {what} {own}", pointer=field
            )
    if upload.name is not None and canonicalize_name(upload.name) != project:
        raise UnusableFile(f"the upload says {upload.name[:80]!r}, its file {project!r}", pointer="/name")
    if upload.version is not None and _version(upload.version) != version:
        raise UnusableFile(f"the upload says {upload.version[:80]!r}, its file {version}", pointer="/version")


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
