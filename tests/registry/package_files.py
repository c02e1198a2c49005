"""Small package files of other origin, made by hand, so that each part of one can be wrong."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from typing import Any


def metadata(name: str, version: str, **more: str) -> str:
    lines = {"Metadata-Version": "2.1", "Name": name, "Version": version, "Requires-Python": ">=3.8"}
    lines |= {key.replace("_", "-"): value for key, value in more.items()}
    return "".join(f"{key}: {value}\n" for key, value in lines.items() if value)


def wheel(name: str, version: str, *, text: str = "", leave_out: str = "", folder: str = "", **more: str) -> bytes:
    stem = folder or f"{name.replace('-', '_')}-{version}.dist-info"
    files = {
        f"{name.replace('-', '_')}.py": f"VERSION = {version!r}\n{text}",
        f"{stem}/METADATA": metadata(name, version, **more),
        f"{stem}/WHEEL": "Wheel-Version: 1.0\nGenerator: by-hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in files) + f"{stem}/RECORD,,\n"
    files[f"{stem}/RECORD"] = record
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            if not leave_out or not path.endswith(leave_out):
                archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def wheel_name(name: str, version: str) -> str:
    return f"{name.replace('-', '_')}-{version}-py3-none-any.whl"


def sdist(name: str, version: str, *, path: str = "") -> bytes:
    stem = f"{name.replace('-', '_')}-{version}"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for file, text in ((path or f"{stem}/PKG-INFO", metadata(name, version)), (f"{stem}/setup.py", "")):
            entry = tarfile.TarInfo(file)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(packed.getvalue(), mtime=0)


def form(filename: str | None, sent: bytes, **more: Any) -> dict[str, Any]:
    """The form of an upload, as twine sends it."""
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "sha256_digest": hashlib.sha256(sent).hexdigest(),
        "blake2_256_digest": hashlib.blake2b(sent, digest_size=32).hexdigest(),
        "md5_digest": hashlib.md5(sent).hexdigest(),
        "content": (io.BytesIO(sent), filename) if filename is not None else None,
        **more,
    }
    return {name: value for name, value in fields.items() if value is not None}
