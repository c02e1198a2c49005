"""`make bench-faults`: faults put in the way of guards on a real Kafka, and what was counted of every message.

Prints the table of docs/runbook.md. Needs Java and Maven: it stops and starts a broker of its own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from deedbox.cli.brokers import CLIENTS
from deedbox.registry.serving import BackgroundServer, run_in_background

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from tests.kafka import faults
    from tests.kafka.kafka_server import KafkaServer


def main() -> int:
    """Runs every scenario; 1 where one of them found something wrong."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=2_000, help="a scenario")
    options.add_argument("--only", help="scenarios whose name begins so")
    options.add_argument("--client", choices=list(CLIENTS), default="kafka-python", help="of the guards")
    given = options.parse_args()
    count = given.messages
    outcomes = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = KafkaServer(folder)
        server.start()
        try:
            for scenario, run in _scenarios(server, given.client, count).items():
                if given.only and not scenario.startswith(given.only):
                    continue
                place = folder / scenario
                place.mkdir()
                outcomes.append(run(place))
                print(f"{outcomes[-1].name}: {outcomes[-1].seconds:.0f} s", file=sys.stderr, flush=True)
        finally:
            server.stop()
    print(faults.table(outcomes))
    return int(any(o.wrong for o in outcomes))


def _scenarios(server: KafkaServer, client: str, count: int) -> dict[str, Callable[[Path], faults.Outcome]]:
    def within(work: Callable[[faults.World, BackgroundServer], faults.Outcome]) -> Callable[[Path], faults.Outcome]:
        def run(folder: Path) -> faults.Outcome:
            topic = f"faults-{uuid4().hex[:8]}"
            with (
                run_in_background(f"sqlite:///{folder}/registry.db") as registry,
                faults.world(server.bootstrap, registry.url, topic, folder, client=client) as made,
            ):
                return work(made, registry)

        return run

    def restart() -> None:
        server.stop()
        server.start()

    def away(folder: Path) -> faults.Outcome:
        url = f"sqlite:///{folder}/registry.db"
        registry = run_in_background(url)
        running = [registry]

        def start() -> None:
            running.append(run_in_background(url, int(registry.url.rpartition(":")[2])))

        topic = f"faults-{uuid4().hex[:8]}"
        try:
            with faults.world(server.bootstrap, registry.url, topic, folder, client=client) as made:
                return faults.registry_away(made, count, registry.stop, start)
        finally:
            running[-1].stop()

    return {
        "kill": within(lambda made, _: faults.killed(made, count, 4)),
        "broker": within(lambda made, _: faults.broker_restarted(made, count, restart)),
        "registry": away,
        "rebalance": within(lambda made, _: faults.rebalanced(made, count, 3)),
        "poison": within(lambda made, _: faults.poisoned(made, max(1, count // 60))),
        "skew": within(lambda made, _: faults.skewed(made, count)),
        "refuse": within(lambda made, _: faults.refused(made, count, server.limit_message_bytes)),
    }


if __name__ == "__main__":
    sys.exit(main())
