"""Drawings: who stands where, what is said, and when a grid takes the place of arrows."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from deedbox.registry.web.pages.drawing import badge, map_drawing, sparkline


def node(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "label": name, "kind": "service", "contracts": 1, "here": False, **more}


def edge(one: str, other: str, state: str = "holds", channel: str = "shop.orders") -> dict[str, Any]:
    return {
        "from": one,
        "to": other,
        "state": state,
        "channels": [channel],
        "links": 2,
        "broken": 2 * (state == "broken"),
    }


def boxes(drawing: str) -> dict[str, float]:
    """Left side of each box by its label."""
    found = re.findall(r'<rect x="(\d+)"[^>]*/><text [^>]*>([^<]+)</text>', drawing)
    return {label: float(x) for x, label in found}


def parsed(drawing: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(drawing))


def test_senders_stand_left_of_readers_and_a_cycle_is_drawn_too() -> None:
    nodes = [node(n) for n in ("billing", "orders", "reporting")]
    edges = [edge("orders", "billing"), edge("billing", "reporting"), edge("reporting", "orders", "broken")]
    drawing = map_drawing({"nodes": nodes, "edges": edges}, "all")
    parsed(drawing)
    assert len(set(boxes(drawing).values())) == 3
    assert drawing.count('class="edge') == 6, "each arrow, and what is said of it"
    assert "✗ 2 of 2 shop.orders" in drawing


def test_names_are_text_and_addresses_are_quoted() -> None:
    nodes = [node("a<b"), node("c&d")]
    drawing = map_drawing({"nodes": nodes, "edges": [edge("a<b", "c&d", channel='"><script>')]}, '"<title>')
    labels = [element.text for element in parsed(drawing).iter() if element.tag.endswith("text")]
    assert {"a<b", "c&d"} <= set(labels)
    assert "<script>" not in drawing
    assert "style=" not in drawing


def test_many_groups_are_a_grid_of_who_sends_to_whom() -> None:
    groups = [node(f"group:team-{n}", label=f"team-{n}", kind="group", services=5) for n in range(8)]
    edges = [edge(one["id"], other["id"]) for one in groups for other in groups if one is not other]
    edges[3]["state"], edges[3]["broken"] = "broken", 1
    drawing = map_drawing({"nodes": groups, "edges": edges}, "all")
    parsed(drawing)
    assert drawing.count('class="cell holds"') == 55
    assert drawing.count('class="cell broken"') == 1
    assert "/map?group=team-0&amp;other=team-1" in drawing
    assert "<path d=" not in drawing, "no arrows"


def test_nothing_is_nothing() -> None:
    assert map_drawing({"nodes": [], "edges": []}, "none") == ""
    assert sparkline([{"at": 1, "remaining": 5}], "one point") == ""
    parsed(sparkline([{"at": 1, "remaining": 5}, {"at": 1, "remaining": 0}], "two"))
    assert "orders/x" in badge("orders/x", "1.0.0 fits 2", "good")
