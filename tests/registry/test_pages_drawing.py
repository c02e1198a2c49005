"""Drawings: who stands where, what is said, and when a grid takes the place of arrows."""

from __future__ import annotations

import random
import re
import time
from typing import Any
from xml.etree import ElementTree

import pytest
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


def strokes(path: str) -> list[tuple[float, float]]:
    """Points along a path of moves, lines along an axis and curves, close to one another."""
    points: list[tuple[float, float]] = []
    x = y = 0.0
    for command, numbers in re.findall(r"([MCHVq])([^MCHVq]*)", path):
        n = [float(v) for v in re.findall(r"-?[\d.]+", numbers)]
        if command == "M":
            x, y = n
            continue
        if command == "H":
            n = [x, y, n[0], y, n[0], y]
        elif command == "V":
            n = [x, y, x, n[0], x, n[0]]
        elif command == "q":
            n = [x + n[0], y + n[1], x + n[0], y + n[1], x + n[2], y + n[3]]
        for i in range(1, 61):
            t = i / 60
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            points.append((a * x + b * n[0] + c * n[2] + d * n[4], a * y + b * n[1] + c * n[3] + d * n[5]))
        x, y = n[-2:]
    return points


def crossings(drawing: str) -> list[str]:
    """Arrows that pass behind the box of a service that they are not of, or their own."""
    number = r"(-?\d+)"
    found = re.findall(
        rf'<rect x="{number}" y="{number}" width="{number}" height="{number}"[^>]*/><text [^>]*>([^<]+)<', drawing
    )
    there = {label: tuple(map(float, box)) for *box, label in found}
    bad = []
    for told, path in re.findall(r'<title>([^<:]+):[^<]*</title><path d="([^"]+)"', drawing):
        for x, y in strokes(path):
            for label, (left, top, width, height) in there.items():
                if left + 1 < x < left + width - 1 and top < y < top + height:
                    bad.append(f"{told} behind {label} at {x:.0f} {y:.0f}")
    return bad


@pytest.mark.parametrize("seed", range(12))
def test_no_arrow_passes_behind_a_box(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"service-{n}" * chance.choice([1, 1, 2]) for n in range(chance.choice([3, 8, 25, 90]))]
    pairs = {(chance.choice(names), chance.choice(names)) for _ in range(int(len(names) * chance.uniform(0.8, 2.5)))}
    edges = [edge(one, other, chance.choice(["holds", "broken"])) for one, other in sorted(pairs)]
    drawing = map_drawing({"nodes": [node(n) for n in names], "edges": edges}, "all")
    root = parsed(drawing)
    assert crossings(drawing) == []
    drawn = sum(one != other for one, other in pairs)
    assert len(re.findall("marker-end", drawing)) == drawn
    svg = next(root.iter("{http://www.w3.org/2000/svg}svg"))
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    points = [point for path in re.findall(r'<path d="(M[^"]+)" marker', drawing) for point in strokes(path)]
    assert all(0 < x < width and 0 < y < height for x, y in points), "all of it is inside"
    assert len(drawing) < 1_000_000


LETTER, HEIGHT = 6.2, 12.0
"""Of the font that what is said of arrows is drawn in, as Chromium measures DejaVu Sans and Arial at 11 px."""


def collisions(drawing: str) -> list[str]:
    """What is said of an arrow and lies over a box, or over what is said of another one."""
    number = r"(-?\d+)"
    boxes = [
        tuple(map(float, found))
        for found in re.findall(rf'<rect x="{number}" y="{number}" width="{number}" height="{number}"', drawing)
    ]
    labels = []
    for x, y, said in re.findall(rf'halo" text-anchor="middle" x="{number}" y="{number}">([^<]+)<', drawing):
        wide = len(said) * LETTER
        labels.append((float(x) - wide / 2, float(y) - HEIGHT + 3, wide, HEIGHT, said))
    areas = [(*box, "box") for box in boxes] + labels
    return [
        f"{said} over {other}"
        for n, (x, y, w, h, said) in enumerate(labels, len(boxes))
        for left, top, width, height, other in areas[:n]
        if x < left + width and x + w > left and y < top + height and y + h > top
    ]


@pytest.mark.parametrize("seed", range(25))
def test_what_is_said_of_arrows_lies_over_no_box_and_nothing_else_that_is_said(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"service-{n}" for n in range(chance.choice([2, 4, 8, 14, 40]))]
    pairs = {(chance.choice(names), chance.choice(names)) for _ in range(chance.choice([3, 8, 16, 30]))}
    channels = ["shop.orders", "a", "warehouse.stock.reserved.by.everybody.v1"]
    edges = [edge(*pair, chance.choice(["holds", "broken"]), chance.choice(channels)) for pair in sorted(pairs)]
    drawing = map_drawing({"nodes": [node(n) for n in names], "edges": edges}, "all")
    assert collisions(drawing) == []
    assert drawing.count("halo") == sum(one != other for one, other in pairs), "and none is missing"
    assert crossings(drawing) == []


def test_neighbours_of_a_busy_service_are_drawn_quickly() -> None:
    names = [f"reader-{n}" for n in range(85)]
    edges = [edge("hub", name, "broken", f"channel.{name}") for name in names]
    edges += [edge(name, "hub", "undecided", f"back.{name}") for name in names[:40]]
    began = time.process_time()
    drawing = map_drawing({"nodes": [node(n) for n in ("hub", *names)], "edges": edges}, "all")
    assert time.process_time() - began < 2
    assert collisions(drawing) == []


def test_a_chain_with_a_short_cut_goes_around_what_is_between() -> None:
    names = ["a", "b", "c", "d"]
    edges = [edge("a", "b"), edge("b", "c"), edge("c", "d"), edge("a", "d", "broken"), edge("d", "a")]
    drawing = map_drawing({"nodes": [node(n) for n in names], "edges": edges}, "all")
    assert crossings(drawing) == []
    straight = drawing.replace(re.findall(r'<title>a to d:[^<]*</title><path d="([^"]+)"', drawing)[0], "M100 45H1000")
    assert crossings(straight) != [], "the check sees a line through boxes"


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
