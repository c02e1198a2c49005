"""Use cases. A public method is one use case and at most one write transaction; it raises errors of `errors.py`."""

from __future__ import annotations

from deedbox.registry.config import Settings
from deedbox.registry.sandbox.pool import Sandbox
from deedbox.registry.services.browsing import Browsing
from deedbox.registry.services.bundles import Bundles
from deedbox.registry.services.catalogue import Catalogue
from deedbox.registry.services.dead_letters import DeadLetters
from deedbox.registry.services.deployments import Deployments
from deedbox.registry.services.drains import Drains
from deedbox.registry.services.jobs import Jobs, Patience, Saga
from deedbox.registry.services.judging import Judge
from deedbox.registry.services.npm import Npm
from deedbox.registry.services.observations import Observations
from deedbox.registry.services.packages import Packages
from deedbox.registry.services.publishing import Publishing
from deedbox.registry.services.releases import Releases
from deedbox.registry.services.replay_orders import ReplayOrders
from deedbox.registry.services.replays import Replays
from deedbox.registry.services.schemas import Schemas
from deedbox.registry.services.verdicts import Verdicts
from deedbox.registry.storage.database import Database


class SlowWork:
    """The use cases that answer at once and are worked on later, and what workers do of them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.jobs = Jobs(database, Patience(settings.job_lease_seconds, settings.job_attempts))
        self.bundles = Bundles(database, self.jobs, prefix=settings.package_prefix)
        self.npm = Npm(database, settings.npm_modules, settings.npm_scope)
        self.releases = Releases(
            database,
            self.jobs,
            self.bundles,
            self.npm,
            prefix=settings.package_prefix,
            build_seconds=settings.build_seconds,
        )
        sagas: tuple[Saga, ...] = (self.releases, self.bundles)
        self.sagas = {saga.kind: saga for saga in sagas}


class Services:
    """All use cases over one database and one sandbox; settings that are not given are the defaults."""

    def __init__(self, database: Database, sandbox: Sandbox, settings: Settings | None = None) -> None:
        self.database, self.sandbox = database, sandbox
        self.slow = SlowWork(database, settings or Settings())
        self.jobs, self.releases, self.bundles = self.slow.jobs, self.slow.releases, self.slow.bundles
        self.npm = self.slow.npm
        self.verdicts = Verdicts(database, sandbox)
        self.catalogue = Catalogue(database, self.verdicts)
        self.publishing = Publishing(database, Judge(database, self.verdicts), self.verdicts, self.releases)
        self.deployments = Deployments(database, self.verdicts)
        self.drains = Drains(database)
        self.browsing = Browsing(database, self.verdicts, self.drains)
        self.replays = Replays(database)
        self.dead_letters = DeadLetters(database)
        self.replay_orders = ReplayOrders(database)
        self.observations = Observations(database, self.drains.revoke_late)
        self.packages = Packages(database)
        self.schemas = Schemas(database)
