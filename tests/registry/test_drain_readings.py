"""The newest readings of several fields at once, as each field alone has them."""

from __future__ import annotations

from uuid import uuid4

from deedbox.registry.storage import drains, queries
from deedbox.registry.storage.database import Database


def test_readings_of_several_fields_are_the_newest_of_each(database: Database) -> None:
    fields = [("orders/order-placed", "/note"), ("orders/order-placed", "/a"), ("billing/order-placed", "/note")]
    with database.writing() as session:
        for number in range(12):
            contract, pointer = fields[number % 2]
            entry = queries.add_entry(session, "somebody", "drain-evidence", f"{contract}#{pointer}", {})
            session.add(
                drains.DrainEvidence(
                    seq=entry.seq,
                    uuid=str(uuid4()),
                    contract=contract,
                    pointer=pointer,
                    cluster="c",
                    digest="d",
                    state="draining",
                    consumed=False,
                    gone=False,
                    evidence="long",
                    claim={"number": number},
                )
            )
    with database.reading() as session:
        found = drains.readings(session, fields, 4)
        numbers = {field: [row.claim["number"] for row in rows] for field, rows in found.items()}
        alone = {
            field: [row.claim["number"] for row in drains.evidence_of(session, *field, limit=4)] for field in fields
        }
        assert drains.readings(session, [], 4) == {}
    assert numbers == alone == {fields[0]: [10, 8, 6, 4], fields[1]: [11, 9, 7, 5], fields[2]: []}
