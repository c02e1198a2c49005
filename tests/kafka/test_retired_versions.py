"""A retired version is refused by the serializers that refuse, once they have heard of it."""

from __future__ import annotations

import pytest
from deedbox.kafka.errors import InvalidMessage
from deedbox.kafka.serializing import Writing

from .conftest import ORDER, Registry


def test_a_retired_version_is_refused_once_it_is_heard_of(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER, version="1.0.0")
    lookup = registry.lookup(fresh_seconds=60.0)
    writing = Writing(lookup, "orders/order-placed", refuse=True)
    writing._inspector._clock = registry.clock
    assert writing.write("shop.orders", [], {"id": "a"}) is not None
    registry.client.retire("orders/order-placed", "1.0.0", "over")
    assert writing.write("shop.orders", [], {"id": "a"}) is not None, "it is believed in for a while"
    registry.clock.now += 61
    with pytest.raises(InvalidMessage, match=r"orders/order-placed 1\.0\.0 is retired"):
        writing.write("shop.orders", [], {"id": "a"})
    assert Writing(lookup, "orders/order-placed", "1.0.0").write("shop.orders", [], {"id": "a"}) is not None
