"""Use cases. A public method is one use case and at most one write transaction; it raises errors of `errors.py`."""

from __future__ import annotations

from deedbox.registry.sandbox.pool import Sandbox
from deedbox.registry.services.browsing import Browsing
from deedbox.registry.services.catalogue import Catalogue
from deedbox.registry.services.deployments import Deployments
from deedbox.registry.services.judging import Judge
from deedbox.registry.services.observations import Observations
from deedbox.registry.services.publishing import Publishing
from deedbox.registry.services.verdicts import Verdicts
from deedbox.registry.storage.database import Database


class Services:
    """All use cases over one database and one sandbox."""

    def __init__(self, database: Database, sandbox: Sandbox) -> None:
        self.database, self.sandbox = database, sandbox
        self.verdicts = Verdicts(database, sandbox)
        self.catalogue = Catalogue(database, self.verdicts)
        self.browsing = Browsing(database, self.verdicts)
        self.publishing = Publishing(database, Judge(database, self.verdicts), self.verdicts)
        self.deployments = Deployments(database, self.verdicts)
        self.observations = Observations(database)
