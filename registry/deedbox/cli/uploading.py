"""Uploading wheels to an index of somebody else's, by twine: its protocol, its credentials, its configuration."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deedbox.cli.errors import CliError, ExtraMissing, UsageError
from deedbox.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import requests
    from deedbox.cli.packaging import File
    from twine.settings import Settings

_MOST_SAID = 300


class UploadRefused(CliError):
    """An index that did not take a file. `exit` is 1 where it said no, 3 where it did not answer."""

    code = "upload-refused"

    def __init__(self, message: str, exit: Exit) -> None:
        super().__init__(message)
        self.exit = exit


def check_url(url: str) -> None:
    """Refuses what is no address of an index, and credentials in it: command lines are seen by others and kept.

    Raises:
        UsageError: see above.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--publish-to {url!r} is no http:// or https:// address")
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "--publish-to has credentials in it: put them into TWINE_USERNAME and TWINE_PASSWORD, the keyring, or ~/.pypirc"
        )


def upload_files(files: Sequence[File], url: str) -> tuple[list[str], list[str]]:
    """Uploads files in their order; one that the index has already does not stop those after it.

    Returns:
        The names of the files uploaded, and of those that the index had already.

    Raises:
        ExtraMissing: twine is not installed.
        UploadRefused: the index says no, or does not answer. Those before it are there.
    """
    try:
        import twine.settings
    except ModuleNotFoundError:
        raise ExtraMissing("package --publish-to", "upload", "twine") from None
    # As `twine upload` itself reads them: credentials from the environment, the keyring, ~/.pypirc, or a prompt.
    parser = argparse.ArgumentParser()
    twine.settings.Settings.register_argparse_arguments(parser)
    options = ["--repository-url", url, "--disable-progress-bar"]
    if not sys.stdin.isatty():
        options.append("--non-interactive")
    logging.getLogger("twine").setLevel(logging.CRITICAL)
    done: list[str] = []
    there: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            path = Path(folder, file.filename)
            path.write_bytes(file.content)
            settings = twine.settings.Settings.from_argparse(parser.parse_args(options))
            (done if _uploaded(path, url, settings) else there).append(file.filename)
    return done, there


def _uploaded(path: Path, url: str, settings: Settings) -> bool:
    """Whether the index took a file; False where it has one of that name."""
    import requests
    from twine.commands.upload import upload
    from twine.exceptions import NonInteractive, TwineException

    try:
        with contextlib.redirect_stdout(sys.stderr):
            upload(settings, [str(path)])
    except requests.HTTPError as error:
        response = error.response
        # 409 of pypiserver, devpi and this project's own index; 400 with these words of the public index's software.
        if response is not None and (
            response.status_code == 409
            or (response.status_code == 400 and "already exist" in f"{response.reason} {response.text}".lower())
        ):
            return False
        raise _refused(path, url, response) from None
    except requests.RequestException as error:
        raise UploadRefused(f"{url} did not answer: {_line(str(error))}", Exit.UNKNOWN) from None
    except NonInteractive:
        raise UploadRefused(
            f"{url} wants credentials: set TWINE_USERNAME and TWINE_PASSWORD, or use the keyring or ~/.pypirc",
            Exit.WRONG,
        ) from None
    except TwineException as error:
        raise UploadRefused(f"{path.name}: {_line(str(error))}", Exit.WRONG) from None
    return True


def _refused(path: Path, url: str, response: requests.Response | None) -> UploadRefused:
    if response is None:
        return UploadRefused(f"{url} refused {path.name}", Exit.NO)
    said = f"{url} refused {path.name}: {response.status_code} {response.reason}"
    if response.status_code in (401, 403):
        said += ". Are TWINE_USERNAME and TWINE_PASSWORD (or the keyring, or ~/.pypirc) those of this index?"
    elif response.status_code in (404, 405):
        said += ". Is it the address that takes uploads?"
    return UploadRefused(said, Exit.UNKNOWN if response.status_code >= 500 else Exit.NO)


def _line(text: str) -> str:
    return " ".join(text.split())[:_MOST_SAID]
