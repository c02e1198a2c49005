"""Reading models of pages: what a page shows, as JSON values, by one method a page."""

from __future__ import annotations

from contextlib import suppress

from deedbox.registry.errors import RegistryError
from deedbox.registry.services.browsing.changes import Changes
from deedbox.registry.services.browsing.contracts import Contracts
from deedbox.registry.services.browsing.dead_letters import Letters
from deedbox.registry.services.browsing.draining import Draining
from deedbox.registry.services.browsing.fits import Fits
from deedbox.registry.services.browsing.history import History
from deedbox.registry.services.browsing.lives import Lives
from deedbox.registry.services.browsing.matrix import Matrix
from deedbox.registry.services.browsing.overview import Overview
from deedbox.registry.services.browsing.system import System
from deedbox.registry.services.browsing.trying import Trying
from deedbox.registry.services.drains import Drains
from deedbox.registry.services.verdicts import Verdicts
from deedbox.registry.storage.database import Database


class Browsing:
    """The reading models over one database; `overview` and `fits` are the memory that they share."""

    def __init__(self, database: Database, verdicts: Verdicts, drains: Drains) -> None:
        self.overview = Overview(database)
        self.fits = Fits(verdicts)
        self.draining = Draining(database, drains)
        self.trying = Trying(database, verdicts.sandbox, self.overview)
        self.letters = Letters(database, self.trying, self.overview)
        self.history = History(database, self.overview, self.fits, self.draining, self.letters)
        self.contracts = Contracts(database, self.overview, self.fits)
        self.changes = Changes(database, verdicts, self.overview, self.fits)
        self.lives = Lives(database, verdicts, self.overview, self.contracts, self.draining)
        self.system = System(database, self.overview, self.fits)
        self.matrix = Matrix(database, self.overview, self.fits)

    def warm_up(self) -> None:
        """Reads the system once, ahead of the first page. A database that is away now is asked again by that page."""
        with suppress(RegistryError):
            self.overview.words(self.overview.current().heads.values())
