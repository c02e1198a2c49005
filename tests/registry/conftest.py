from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deedbox.registry.app import create_app
from deedbox.registry.config import Settings
from deedbox.registry.sandbox.pool import Sandbox
from deedbox.registry.services import Services
from deedbox.registry.storage import migrate
from deedbox.registry.storage.database import Database
from flask.testing import FlaskClient

STRING = {"type": "string"}
INTEGER = {"type": "integer"}


def record(**properties: Any) -> dict[str, Any]:
    """A schema of an object with these optional properties."""
    return {"type": "object", "properties": properties}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/registry.db"
    return str(request.getfixturevalue("postgres")())


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrate.upgrade(database)
    yield database
    database.close()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(workers=1, seconds=20, memory_mb=1024, queue_seconds=60)
    yield sandbox
    sandbox.close()


@pytest.fixture
def services(database: Database, sandbox: Sandbox) -> Services:
    return Services(database, sandbox)


@dataclass
class Api:
    """The API by Flask's test client."""

    client: FlaskClient
    services: Services

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers=_headers(headers))

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self._send("post", path, body, headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self._send("put", path, body, headers)

    def publish(self, contract: str, schema: Any, **body: Any) -> Any:
        headers = body.pop("headers", {})
        return self.post(f"/contracts/{contract}/versions", {"schema": schema, **body}, **headers)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        send = getattr(self.client, method)
        return send(f"/api/v1{path}", data=data, headers={"Content-Type": "application/json", **_headers(headers)})


def _headers(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def make_api(url: str, sandbox: Sandbox, **settings: Any) -> Api:
    app = create_app(Settings(database_url=url, **settings))
    services = app.extensions["deedbox"]
    services.verdicts.sandbox = sandbox
    return Api(app.test_client(), services)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file at the newest revision, to copy."""
    path = tmp_path_factory.mktemp("migrated") / "registry.db"
    database = Database(f"sqlite:///{path}")
    migrate.upgrade(database)
    database.close()
    return path


@pytest.fixture
def api(tmp_path: Path, sandbox: Sandbox, migrated_file: Path) -> Iterator[Api]:
    """A service on SQLite."""
    shutil.copy(migrated_file, tmp_path / "registry.db")
    api = make_api(f"sqlite:///{tmp_path}/registry.db", sandbox)
    yield api
    api.services.database.close()


@pytest.fixture
def each_api(database_url: str, sandbox: Sandbox) -> Iterator[Api]:
    """A service on each kind of database."""
    api = make_api(database_url, sandbox)
    yield api
    api.services.database.close()


def rows(path: Path, statement: str) -> list[Any]:
    """Reads an SQLite file beside the service."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()
