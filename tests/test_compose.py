"""`docker-compose.yml` and the `Dockerfile` say what this release understands. They are read, not run: no daemon is needed."""

from __future__ import annotations

import re
import shlex
import tomllib
from typing import Any

import click
import pytest
import yaml
from deedbox.cli.main import cli
from deedbox.kafka.letters.dead_letters import SUFFIX
from deedbox.registry.config import PREFIX, Settings

from tests.conftest import ROOT
from tests.kafka.kafka_server import KAFKA

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def options(service: str) -> dict[str, Any]:
    """What a service's command is parsed to; it does not run."""
    name, *arguments = SERVICES[service]["command"]
    command = cli.get_command(click.Context(cli), name)
    while isinstance(command, click.Group):
        name, *arguments = arguments
        command = command.get_command(click.Context(command), name)
    assert command is not None, f"there is no command {name}"
    return command.make_context(name, list(arguments)).params


def published(service: str) -> dict[int, int]:
    """Port inside → port on the host; on the loopback address alone."""
    found = {}
    for port in SERVICES[service].get("ports", ()):
        host, outside, inside = port.split(":")
        assert host == "127.0.0.1", "what has no password is not for the network"
        found[int(inside)] = int(outside)
    return found


def test_images_are_pinned_or_built_here() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA}", "the Kafka that the tests run"
    built = {service["image"] for service in SERVICES.values() if "build" in service}
    for name, service in SERVICES.items():
        repository, _, tag = service["image"].rpartition(":")
        assert service["image"] in built or re.fullmatch(r"\d+\.\d+\.\d+", tag), f"{name}: {repository} without version"


def test_commands_and_ports_fit() -> None:
    serve, guard = options("registry"), options("guard")
    assert (serve["host"], guard["metrics_host"]) == ("0.0.0.0", "0.0.0.0"), "reachable from outside the container"
    assert serve["port"] in published("registry")
    assert guard["metrics_port"] in published("guard")
    outside = [port for name in SERVICES for port in published(name).values()]
    assert len(outside) == len(set(outside))
    assert guard["topics"] == ("shop.orders",)
    assert options("letters")["topics"] == (f"{guard['topics'][0]}{SUFFIX}",)


def test_addresses_lead_to_who_listens_there() -> None:
    environment = SERVICES["guard"]["environment"]
    assert environment["DEEDBOX_URL"] == f"http://registry:{options('registry')['port']}"
    kafka = SERVICES["kafka"]["environment"]
    advertised = dict(part.split("://") for part in kafka["KAFKA_ADVERTISED_LISTENERS"].split(","))
    assert environment["KAFKA_BOOTSTRAP_SERVERS"] == advertised["INSIDE"]
    listening = {name: int(address.rpartition(":")[2]) for name, address in
                 (part.split("://") for part in kafka["KAFKA_LISTENERS"].split(","))}  # fmt: skip
    assert advertised["INSIDE"] == f"kafka:{listening['INSIDE']}"
    assert advertised["OUTSIDE"] == f"127.0.0.1:{published('kafka')[listening['OUTSIDE']]}"
    assert kafka["KAFKA_CONTROLLER_QUORUM_VOTERS"].endswith(f":{listening['CONTROLLER']}")
    mapped = {part.split(":")[0] for part in kafka["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")}
    assert mapped == set(listening)
    assert SERVICES["letters"]["environment"] == environment
    for name in ("guard", "letters"):
        assert set(SERVICES[name]["depends_on"]) <= set(SERVICES)
        for needed in SERVICES[name]["depends_on"]:
            assert "healthcheck" in SERVICES[needed]
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in COMPOSE["volumes"]


@pytest.mark.parametrize("service", ["registry", "guard"])
def test_every_variable_is_known(service: str) -> None:
    taken = {p.envvar for command in ("guard", "serve") for p in _parameters(command) if p.envvar}
    known = {PREFIX + name.upper() for name in Settings.__dataclass_fields__} | taken | {"DEEDBOX_URL"}
    assert set(SERVICES[service]["environment"]) <= known


def _parameters(name: str) -> list[click.Parameter]:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command.params


def test_the_image_is_made_of_what_is_there() -> None:
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    for line in DOCKERFILE.splitlines():
        if line.startswith("COPY "):
            for source in shlex.split(line)[1:-1]:
                assert (ROOT / source).exists()
                assert source in kept, f"{source} is left out by .dockerignore"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = {root.partition("/")[0] for root in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    needed |= set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"])
    assert needed <= kept, "what the wheel is made of"
    extras = re.search(r"\.\[([\w,]+)\]", DOCKERFILE)
    assert extras is not None
    assert set(extras.group(1).split(",")) <= set(project["project"]["optional-dependencies"])
    client = options("guard")
    assert client["bootstrap"]
    python = re.search(r"FROM python:(\d+\.\d+)-slim", DOCKERFILE)
    assert python is not None
    assert f"Programming Language :: Python :: {python.group(1)}" in project["project"]["classifiers"]
