"""Running the service with granian: in the foreground for `deedbox serve`, or as a child process for tests and the demo."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from deedbox.registry.config import Settings
from deedbox.registry.errors import ConfigurationError, ServerFailed

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger("deedbox.serving")

_START_SECONDS = 60
_STOP_SECONDS = 10


def application() -> Flask:
    """The WSGI application of one server process, with its settings from the environment. Granian calls it."""
    from deedbox.registry.app import create_app, start_working, warm_up
    from deedbox.registry.web import logs

    settings = Settings.from_environment()
    logs.configure(settings.log_level)
    app = create_app(settings, migrated=True)
    warm_up(app)
    start_working(app, settings)
    return app


def serve(settings: Settings) -> None:
    """Serves until it is told to stop (SIGINT, SIGTERM). Brings the database to this release first.

    Raises:
        StorageUnavailable: the database does not answer.
        ConfigurationError: a setting that cannot work, or a port that is taken.
    """
    from deedbox.registry.storage import migrate
    from deedbox.registry.storage.database import Database
    from deedbox.registry.web import logs
    from granian.constants import Interfaces
    from granian.server import Server

    settings.check()
    logs.configure(settings.log_level)
    database = Database(settings.database_url, settings.busy_seconds)
    migrate.upgrade(database)
    database.close()
    if settings.port == 0:
        settings = replace(settings, port=free_port(settings.host))
    _check_port(settings.host, settings.port)
    os.environ.update(settings.to_environment())
    with tempfile.TemporaryDirectory(prefix="deedbox-metrics-") as metrics:
        if settings.workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
        log.info("listening", extra={"fields": {"url": f"http://{settings.host}:{settings.port}"}})
        Server(
            "deedbox.registry.serving:application",
            factory=True,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.WSGI,
            workers=settings.workers,
            blocking_threads=settings.threads,
            backlog=1024,
            # More than the threads can take wait here; the comparing processes have a queue of their own.
            backpressure=settings.threads * 8,
            websockets=False,
            log_level=_granian_level(settings.log_level),
            respawn_failed_workers=True,
        ).serve()


class BackgroundServer:
    """A server in a process of its own. A context manager: leaving it stops the server."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self._process = process
        self.url = url
        """Where it answers, without a slash at the end."""

    @property
    def pid(self) -> int:
        """The process that all the others of this server belong to."""
        return self._process.pid

    def stop(self) -> None:
        """Stops it: politely, then not."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def run_in_background(
    database_url: str, port: int = 0, *, environment: Mapping[str, str] | None = None, log: Any = None
) -> BackgroundServer:
    """Starts a server on 127.0.0.1 in a process of its own and waits until it is ready.

    Args:
        database_url: see `Settings.database_url`.
        port: 0 picks a free one.
        environment: further settings, as `DEEDBOX_*` variables.
        log: a file for its log; thrown away where None.

    Raises:
        ServerFailed: it ended, or was not ready in a minute.
    """
    host = "127.0.0.1"
    port = port or free_port(host)
    own = {"DEEDBOX_DATABASE_URL": database_url, "DEEDBOX_HOST": host, "DEEDBOX_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "deedbox.registry.serving"],
        env={**os.environ, **(environment or {}), **own},
        stdin=subprocess.DEVNULL,
        stdout=log or subprocess.DEVNULL,
        stderr=log or subprocess.DEVNULL,
        # A Ctrl-C in the terminal is for the parent, which then stops this one in its own order.
        start_new_session=True,
    )
    server = BackgroundServer(process, f"http://{host}:{port}")
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerFailed(f"the server ended with exit code {process.returncode} before it was ready")
        if _is_ready(server.url):
            return server
        time.sleep(0.05)
    server.stop()
    raise ServerFailed(f"the server was not ready after {_START_SECONDS} s")


def free_port(host: str) -> int:
    """A port that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _check_port(host: str, port: int) -> None:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port} ({error.strerror}): choose another DEEDBOX_PORT, or 0 for a free one"
            ) from None


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as response:  # noqa: S310 - always http
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _granian_level(level: str) -> Any:
    from granian.log import LogLevels

    # At `warning` it advises against more threads than cores; these threads mostly wait, for the database and comparisons.
    return LogLevels.debug if level == "debug" else LogLevels.error


if __name__ == "__main__":
    serve(Settings.from_environment())
