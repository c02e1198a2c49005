"""The service as it runs: granian, several processes, real databases, bombs, and a database that goes away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from deedbox.registry.config import Settings
from deedbox.registry.errors import ConfigurationError, ServerFailed
from deedbox.registry.serving import BackgroundServer, run_in_background, serve

FIRST = {"role": "consumes", "kind": "event", "channels": ["shop.orders"]}


def call(server: BackgroundServer, path: str, body: Any = None, timeout: float = 60) -> tuple[int, Any]:
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def publish(server: BackgroundServer, contract: str, schema: Any, **body: Any) -> tuple[int, Any]:
    return call(server, f"/api/v1/contracts/{contract}/versions", {"schema": schema, **FIRST, **body})


def test_many_processes_publish_without_loss_or_gap(database_url: str) -> None:
    """Three server processes over one database; eight clients publish the same and different content at once."""
    with run_in_background(
        database_url, environment={"DEEDBOX_WORKERS": "3", "DEEDBOX_COMPARE_WORKERS": "1"}
    ) as server:

        def work(client: int) -> list[tuple[int, Any]]:
            answers = []
            for i in range(4):
                answers.append(
                    publish(server, "same/thing", {"title": f"same {i}", "const": i}, version=f"{i + 1}.0.0")
                )
                answers.append(publish(server, "many/thing", {"title": f"{client}-{i}"}))
            return answers

        with ThreadPoolExecutor(8) as pool:
            answers = [answer for client in pool.map(work, range(8)) for answer in client]
        assert {status for status, _ in answers} <= {200, 201}, [a for a in answers if a[0] not in (200, 201)][:2]
        same = [a for a in answers if a[1]["contract"] == "same/thing"]
        assert sum(status == 201 for status, _ in same) == 4
        assert len({(a["version"], a["ordinal"], a["digest"], a["published_at"]) for _, a in same}) == 4
        _, versions = call(server, "/api/v1/contracts/many/thing/versions?limit=100")
        assert [v["ordinal"] for v in versions["items"]] == list(range(1, 33))
        assert [v["version"] for v in versions["items"]] == [f"1.0.{n}" for n in range(32)]
        _, events = call(server, "/api/v1/events?limit=100")
        assert [e["id"] for e in events["items"]] == list(range(1, 37))
        assert sorted(e["data"]["schema_id"] for e in events["items"]) == list(range(1, 37))


BOMBS: dict[str, Callable[[], Any]] = {
    "300 bytes of dependentRequired": lambda: {
        "dependentRequired": {f"p{i}": sorted({f"p{(i * 7 + 3) % 18}", f"p{(i * 5 + 1) % 18}"}) for i in range(18)}
    },
    "1 KB of allOf over anyOf": lambda: {
        "allOf": [
            {"anyOf": [{"properties": {f"a{i}": {"const": j}}, "required": [f"a{i}"]} for j in range(2)]}
            for i in range(16)
        ]
    },
    "20 KB chain of $refs": lambda: {
        "$ref": "#/$defs/d0",
        "$defs": {**{f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(800)}, "d800": {"type": "string"}},
    },
    "an enum of 10,000": lambda: {"enum": [f"value {i}" for i in range(10_000)]},
    "a doubling of $refs": lambda: {
        "$ref": "#/$defs/d0",
        "$defs": {
            **{f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}, {"$ref": f"#/$defs/d{i + 1}"}]} for i in range(40)},
            "d40": {"type": "string"},
        },
    },
    "a pattern that backtracks": lambda: {"type": "string", "pattern": "^(a+)+$", "minLength": 30},
}


@pytest.fixture(scope="module")
def bombed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("bombed")
    environment = {"DEEDBOX_COMPARE_SECONDS": "5", "DEEDBOX_COMPARE_MEMORY_MB": "600"}
    with run_in_background(f"sqlite:///{folder}/r.db", environment=environment) as server:
        yield server


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_gets_an_honest_answer_and_others_theirs(bombed: BackgroundServer, name: str) -> None:
    contract = "bomb/n" + "".join(c for c in name if c.isalnum())
    bomb = BOMBS[name]()
    widest = {**bomb, "title": "changed"}
    if "enum" in bomb:
        widest = {"enum": [f"value {i}" for i in range(5_000, 15_000)]}
    elif "$defs" in bomb:
        last = max(bomb["$defs"], key=lambda d: int(d[1:]))
        widest = {**bomb, "$defs": {**bomb["$defs"], last: {"type": ["string", "null"]}}}
    elif "allOf" in bomb:
        widest = {"allOf": [*bomb["allOf"][1:], {"anyOf": [{"type": "object"}, {"type": "null"}]}]}
    elif "dependentRequired" in bomb:
        widest = {"dependentRequired": {k: v[:1] for k, v in bomb["dependentRequired"].items()}}
    waits: list[float] = []
    done = threading.Event()

    def others() -> None:
        while not done.is_set():
            started = time.monotonic()
            assert call(bombed, "/api/v1/contracts", timeout=10)[0] == 200
            waits.append(time.monotonic() - started)
            time.sleep(0.05)

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(others)
        started = time.monotonic()
        try:
            first = publish(bombed, contract, bomb)
            answers = [publish(bombed, contract, schema) for schema in (widest, {"type": "string"}, {})]
        finally:
            done.set()
        watching.result()
    assert first[0] == 201
    for status, body in answers:
        assert status == 201 or (status == 422 and body["code"] in ("undecided", "gate-refused")), body
        if status == 422 and body["code"] == "undecided":
            assert all(refusal["message"] for refusal in body["check"]["refusals"])
            assert body["findings"], "an undecided finding can be accepted by name"
    assert time.monotonic() - started < 100
    assert max(waits) < 3, f"others waited {max(waits):.1f} s"
    assert call(bombed, f"/api/v1/contracts/{contract}/versions")[0] == 200


def test_a_database_that_goes_away_and_comes_back(postgres: Any) -> None:
    url = postgres()
    server_process = postgres.server
    with run_in_background(url, environment={"DEEDBOX_BUSY_SECONDS": "2"}) as server:
        assert publish(server, "a/b", {"title": "1"})[0] == 201
        server_process.stop()
        try:
            for answer in (
                publish(server, "a/b", {"title": "2"}),
                call(server, "/api/v1/contracts"),
                call(server, "/readyz"),
                call(server, "/health"),
            ):
                assert answer[0] == 503, answer
            assert publish(server, "a/b", {"title": "2"})[1]["code"] == "storage-unavailable"
            assert call(server, "/livez")[0] == 200
        finally:
            server_process.start()
        assert call(server, "/readyz")[0] == 200
        assert call(server, "/api/v1/contracts/a/b")[1]["versions"] == 1
        assert publish(server, "a/b", {"title": "2"})[0] == 201


def test_a_server_stops_with_all_its_processes(tmp_path: Path) -> None:
    server = run_in_background(f"sqlite:///{tmp_path}/r.db", environment={"DEEDBOX_WORKERS": "2"})
    publish(server, "a/b", {})
    family = _descendants(server.pid)
    assert len(family) >= 3
    server.stop()
    deadline = time.monotonic() + 60  # one that had only begun to start ends once it has
    while (left := [pid for pid in family if _runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []
    server.stop()


def test_interrupting_serve_ends_it_quietly(tmp_path: Path) -> None:
    environment = {**os.environ, "DEEDBOX_DATABASE_URL": f"sqlite:///{tmp_path}/r.db", "DEEDBOX_PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "deedbox.registry.serving"], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    line = json.loads(process.stderr.readline())
    assert line["message"] == "listening"
    with urllib.request.urlopen(line["url"] + "/livez", timeout=30) if _wait(line["url"]) else None:  # type: ignore[union-attr]
        pass
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in rest


def test_a_server_that_cannot_start_says_so(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="exit code"):
        run_in_background("sqlite:////no/such/folder/r.db")
    with pytest.raises(ConfigurationError, match="DEEDBOX_WORKERS"):
        serve(Settings(workers=0))
    with run_in_background(f"sqlite:///{tmp_path}/r.db") as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(ConfigurationError, match="DEEDBOX_PORT"):
            serve(Settings(database_url=f"sqlite:///{tmp_path}/r.db", port=port))


def _wait(url: str) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url + "/livez", timeout=5):
                return True
        except OSError:
            time.sleep(0.05)
    raise AssertionError("not up")


def _descendants(pid: int) -> list[int]:
    found = [pid]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found += _descendants(int(path.parent.name))
    return found


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
