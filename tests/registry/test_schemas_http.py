"""`/api/v1/schemas/{schema}/versions`: which versions a schema stands for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from .conftest import Api

ORDER = {"type": "object", "properties": {"id": {"type": "string"}}}
OTHER = {"type": "object", "properties": {"id": {"type": "integer"}}}


def test_a_schema_goes_by_its_digest_its_id_and_its_guid(each_api: Api) -> None:
    api = each_api
    published = api.publish("orders/order-placed", ORDER, role="produces", kind="event", version="1.0.0")
    assert published.status_code == 201, published.json
    first: Any = published.json
    api.publish("orders/order-placed", OTHER, role="produces", kind="event", version="2.0.0")
    api.publish("orders/order-placed", ORDER, role="produces", kind="event", version="3.0.0")
    api.publish("billing/order-placed", ORDER, role="consumes", kind="event")
    api.publish("archive/order-placed", ORDER, role="produces", kind="event")
    api.post("/contracts/orders/order-placed/versions/3.0.0/retirement", {"reason": "not meant"})
    names = (first["schema_digest"], str(first["schema_id"]), first["schema_guid"], UUID(first["schema_guid"]).hex)
    for name in names:
        found: Any = api.get(f"/schemas/{name}/versions").json["items"]
        assert [(use["contract"], use["version"], use["retired"]) for use in found] == [
            ("archive/order-placed", "1.0.0", False),
            ("orders/order-placed", "1.0.0", False),
            ("orders/order-placed", "3.0.0", True),
            ("billing/order-placed", "1.0.0", False),
        ]


@pytest.mark.parametrize(
    "name", ["0", "99", "9999999999", "99999999999999999999", "x", "a" * 64, "A" * 64, "0" * 32, "%00", "1.5", "-1"]
)
def test_what_nobody_published_is_404(api: Api, name: str) -> None:
    api.publish("orders/order-placed", ORDER, role="produces", kind="event")
    assert api.get(f"/schemas/{name}/versions").status_code == 404
