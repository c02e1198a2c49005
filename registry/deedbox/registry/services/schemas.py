"""Which versions a schema stands for, by whatever a message calls it."""

from __future__ import annotations

import re
from uuid import UUID

from deedbox.registry.errors import NotFound
from deedbox.registry.storage import schemas
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.schemas import Use

_MOST_ID = 2**31 - 1


class Schemas:
    """The use cases around schemas as messages name them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def uses(self, named: str, limit: int) -> list[Use]:
        """The versions that have a schema: writers first, unretired ones before retired, the newest of a contract first.

        Args:
            named: its digest (64 hexadecimal digits), its integer id, or its GUID.
            limit: how many at most.

        Raises:
            NotFound: nobody published it, or that is no name of a schema.
        """
        with self.database.reading() as session:
            if named.isascii() and named.isdigit() and len(named) <= 10:
                found = schemas.by_id(session, int(named)) if int(named) <= _MOST_ID else []
            elif re.fullmatch("[0-9a-f]{64}", named):
                found = schemas.by_digest(session, named)
            else:
                found = schemas.by_digest(session, _guid(named).hex)
            if not found:
                raise NotFound(f"nobody published a schema {named}")
            return schemas.uses(session, [schema.id for schema in found], limit)


def _guid(named: str) -> UUID:
    try:
        return UUID(named)
    except ValueError:
        raise NotFound(
            "no name of a schema: it is a digest of 64 hexadecimal digits, an integer id, or a GUID"
        ) from None
