"""Drawings as SVG, made on the server: no script, no style attribute, every box a link, every edge with its state in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

_HEIGHT, _ROW, _COLUMN, _PAD = 42, 62, 170, 24
_LANE, _RAIL = 18, 14
"""Heights of the way of an arrow past the boxes of a column, and of one back below all columns."""
_CHARACTER = 7.4
_SWEEPS = 6
_DENSE = 1.5
"""Arrows a group from which on a grid shows more than arrows do."""
_LABELLED = 30
"""Arrows up to which each says its channel; of more, only those that do not fit do."""
_CELL = 30
_LETTER, _LINE = 6.3, 13.0
"""Width of a letter of what is said of an arrow, and its height."""
_WIDER = (0, 80, 200)
"""How much wider the gaps between columns are made, one after the other, until all that is said of arrows has room."""
_CROSSING = 30.0
"""How far from its best place what is said of an arrow may go to lie over one arrow less."""
_REACH = 64.0
"""Side of the squares by which what is near is found."""
_MARKS = {"holds": "✓", "broken": "✗", "undecided": "?"}


def map_drawing(data: dict[str, Any], title: str) -> Markup:
    """The drawing of a map: services from those that send, on the left, to those that read.

    Args:
        data: `nodes` and `edges` of `services.browsing.system`.
        title: what it shows, for those who do not see it.
    """
    nodes = {node["id"]: node for node in data["nodes"]}
    if not nodes:
        return Markup("")
    edges = data["edges"]
    layers = _layers(list(nodes), edges)
    if all(node["kind"] == "group" for node in nodes.values()) and len(edges) > _DENSE * len(nodes):
        return _grid(sorted(nodes, key=lambda n: (layers[n], n)), nodes, edges, title)
    drawn = [edge for edge in edges if edge["from"] != edge["to"]]
    lanes = [_lanes(n, layers[edge["from"]], layers[edge["to"]]) for n, edge in enumerate(drawn)]
    columns = _ordered(layers, edges, [[e["from"], *way, e["to"]] for e, way in zip(drawn, lanes, strict=True)])
    told = [n for n, edge in enumerate(drawn) if len(drawn) <= _LABELLED or edge["state"] != "holds"]
    widest = max((len(_said(drawn[n])) for n in told), default=0) * _LETTER + 40
    for more in _WIDER:
        gap = max(_COLUMN, widest) + more
        place, width, height = _placed(columns, nodes, edges, gap)
        ways: list[_Way] = []
        for edge, way in zip(drawn, lanes, strict=True):
            one, other = place[edge["from"]], place[edge["to"]]
            if other[0] > one[0]:
                ways.append(_forward([one, *(place[lane] for lane in way), other], gap))
            else:
                height += _RAIL
                ways.append(_back(one, other, height - _PAD))
        room = _Room(ways, [place[name] for name in nodes], width, height)
        labels = [(drawn[n], room.taken(n, len(_said(drawn[n])) * _LETTER)) for n in told]
        if all(at is not None for _, at in labels):
            break
    parts = [_edge(edge, way) for edge, way in zip(drawn, ways, strict=True)]
    parts += [_node(node, place[node["id"]]) for node in nodes.values()]
    # Last, so that no arrow hides what is said of another. What has no room is in the arrow's title.
    parts += [_label(edge, at) for edge, at in labels if at is not None]
    return Markup(
        '<div class="drawing" tabindex="0" role="group" aria-label="{title}">'
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>{body}</svg></div>'
    ).format(title=title, w=round(width), h=round(height), body=Markup("").join(parts))


def _grid(names: list[str], nodes: dict[str, dict[str, Any]], edges: list[dict[str, Any]], title: str) -> Markup:
    """Groups that send in rows, groups that read in columns, in the order of the flow; a cell has the links between two."""
    left = max(len(nodes[n]["label"]) for n in names) * _CHARACTER + 24
    at = {name: i for i, name in enumerate(names)}
    size = len(names) * _CELL
    parts = []
    for name, i in at.items():
        label, middle = nodes[name]["label"], i * _CELL + _CELL / 2
        url = f"/map?group={quote(label)}"
        parts.append(
            Markup(
                '<a href="{url}" class="head"><text x="{x:.0f}" y="{y:.0f}" text-anchor="end">{label}</text></a>'
                '<a href="{url}" class="head"><text transform="translate({cx:.0f} {cy:.0f}) rotate(-60)">{label}</text></a>'
                '<path class="rule" d="M{left:.0f} {ry:.0f}h{size}M{rx:.0f} {left:.0f}v{size}"/>'
            ).format(
                url=url,
                label=label,
                x=left - 10,
                y=left + middle + 4,
                cx=left + middle + 4,
                cy=left - 8,
                left=left,
                size=size,
                ry=left + i * _CELL,
                rx=left + i * _CELL,
            )
        )
    for edge in edges:
        one, other = nodes[edge["from"]]["label"], nodes[edge["to"]]["label"]
        said = f"{one} to {other}: {edge['links']} links, {edge['broken']} broken"
        parts.append(
            Markup(
                '<a href="/map?group={one}&amp;other={other}" class="cell {state}"><title>{said}</title>'
                '<rect x="{x:.0f}" y="{y:.0f}" width="{w}" height="{w}" rx="4"/>'
                '<text x="{tx:.0f}" y="{ty:.0f}" text-anchor="middle">{mark}{links}</text></a>'
            ).format(
                one=quote(one),
                other=quote(other),
                state=edge["state"],
                said=said,
                w=_CELL - 4,
                x=left + at[edge["to"]] * _CELL + 2,
                y=left + at[edge["from"]] * _CELL + 2,
                tx=left + at[edge["to"]] * _CELL + _CELL / 2,
                ty=left + at[edge["from"]] * _CELL + _CELL / 2 + 4,
                mark="" if edge["state"] == "holds" else _MARKS[edge["state"]],
                links=edge["links"],
            )
        )
    whole = round(left + size + left * 0.6)
    return Markup(
        '<div class="drawing" tabindex="0" role="group" aria-label="{title}: who sends in rows, who reads in columns">'
        '<svg class="grid" xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">{body}</svg></div>'
    ).format(title=title, w=whole, h=round(left + size + _PAD), body=Markup("").join(parts))


def _layers(names: list[str], edges: list[dict[str, Any]]) -> dict[str, int]:
    """The column of each node: behind everything that it reads from, cycles cut where they are met."""
    below: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        if edge["from"] != edge["to"]:
            below[edge["from"]].append(edge["to"])
    state: dict[str, int] = {}
    order: list[str] = []
    cut: set[tuple[str, str]] = set()
    sources = {edge["to"] for edge in edges if edge["from"] != edge["to"]}
    for root in sorted(names, key=lambda n: (n in sources, n)):
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(below[root]))]
        while stack:
            name, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                state[name] = 2
                order.append(name)
                stack.pop()
            elif state.get(step) == 1:
                cut.add((name, step))
            elif step not in state:
                state[step] = 1
                stack.append((step, iter(below[step])))
    layer = dict.fromkeys(names, 0)
    for name in reversed(order):
        for step in below[name]:
            if (name, step) not in cut:
                layer[step] = max(layer[step], layer[name] + 1)
    return layer


def _lanes(number: int, one: int, other: int) -> list[str]:
    """Places in the columns between two, which keep the way of an edge free of boxes: as if they were nodes."""
    return [f"\0{number}.{layer}" for layer in range(one + 1, other)]


def _ordered(layer: dict[str, int], edges: list[dict[str, Any]], ways: list[list[str]]) -> list[list[str]]:
    """The columns, each in an order that lets few edges cross: by the middle of a node's neighbours, back and forth."""
    columns: list[list[str]] = [[] for _ in range(max(layer.values()) + 1)]
    for name in sorted(layer):
        columns[layer[name]].append(name)
    near: dict[str, list[str]] = defaultdict(list, {e["from"]: [e["to"]] for e in edges if e["from"] == e["to"]})
    for way in ways:
        for step, lane in enumerate(way[1:-1], 1):
            columns[layer[way[0]] + step].append(lane)
        for one, other in pairwise(way):
            near[one].append(other)
            near[other].append(one)
    for sweep in range(_SWEEPS):
        rank = {name: i / max(1, len(column) - 1) for column in columns for i, name in enumerate(column)}
        for column in columns if sweep % 2 == 0 else reversed(columns):
            column.sort(key=lambda n: sum(rank[m] for m in near[n]) / len(near[n]) if near[n] else 2.0)
            rank.update({name: i / max(1, len(column) - 1) for i, name in enumerate(column)})
    linked = [[n for n in column if near[n]] for column in columns]
    alone = [n for column in columns for n in column if not near[n]]
    found = [column for column in linked if column]
    # What is linked with nothing stands by itself in further columns, as high as the tallest.
    tall = max([len(column) for column in found] + [8])
    return found + [alone[i : i + tall] for i in range(0, len(alone), tall)]


Box = tuple[float, float, float]


def _placed(
    columns: list[list[str]], nodes: dict[str, dict[str, Any]], edges: list[dict[str, Any]], gap: float
) -> tuple[dict[str, Box], float, float]:
    """Left, top and width of each node and lane, and the size of the whole. All of a column have one left and width."""
    place: dict[str, Box] = {}
    heights = [sum(_ROW if n in nodes else _LANE for n in column) for column in columns]
    sending = {edge["from"] for edge in edges}
    left = _PAD * 2.0
    for column, height in zip(columns, heights, strict=True):
        width = max(max(len(nodes[n]["label"]) if n in nodes else 0 for n in column) * _CHARACTER + 28, 96)
        top = _PAD + (max(heights) - height) / 2
        for name in column:
            # A lane is the line in the middle of its place, as a box's arrows are at its middle.
            place[name] = (left, top if name in nodes else top + (_LANE - _HEIGHT) / 2, width)
            top += _ROW if name in nodes else _LANE
        left += width + (gap if any(n in sending or n not in nodes for n in column) else 2 * _PAD)
    width = max(x + w for x, _, w in place.values()) + 2 * _PAD
    return place, width, max(heights) + 2 * _PAD - (_ROW - _HEIGHT)


Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Way:
    """The path of an edge, points along it, and where among them what is said of it is best."""

    path: str
    points: list[Point]
    best: Point


def _forward(stops: list[Box], gap: float) -> _Way:
    """From box to box by the lanes between: curves only where no column stands."""
    x, y, w = stops[0]
    at = (x + w, y + _HEIGHT / 2)
    path = f"M{at[0]:.0f} {at[1]:.0f}"
    points: list[Point] = []
    best = at
    for number, (x, y, w) in enumerate(stops[1:], 2):
        last = number == len(stops)
        end = (x - 2 if last else x, y + _HEIGHT / 2)
        bend = (end[0] - at[0]) / 2
        path += f"C{at[0] + bend:.0f} {at[1]:.0f} {end[0] - bend:.0f} {end[1]:.0f} {end[0]:.0f} {end[1]:.0f}"
        across, down = end[0] - at[0], end[1] - at[1]
        steps = max(8, round((abs(across) + abs(down)) / 6))
        points += [(at[0] + across * i / steps, at[1] + down * _eased(i / steps)) for i in range(steps + 1)]
        if last:
            share = max(0.0, 1 - gap * 0.42 / across)
            best = (at[0] + across * share, at[1] + down * _eased(share))
        else:
            path += f"H{x + w:.0f}"
            points += _straight(end, (x + w, end[1]))
            at = (x + w, end[1])
    return _Way(path, points, best)


def _back(one: Box, other: Box, rail: float) -> _Way:
    """Against the reading direction: down beside the one's column, below everything, and up beside the other's."""
    shift = 8 + rail % (2 * _PAD - 16)
    down, up = one[0] + one[2] + shift, other[0] - shift
    y1, y2, r = one[1] + _HEIGHT / 2 + 8, other[1] + _HEIGHT / 2 + 8, 6
    path = (
        f"M{one[0] + one[2]:.0f} {y1:.0f}H{down - r:.0f}q{r} 0 {r} {r}V{rail - r:.0f}q0 {r} -{r} {r}"
        f"H{up + r:.0f}q-{r} 0 -{r} -{r}V{y2 + r:.0f}q0 -{r} {r} -{r}H{other[0] - 2:.0f}"
    )
    points = _straight((down, y1), (down, rail)) + _straight((down, rail), (up, rail)) + _straight((up, rail), (up, y2))
    return _Way(path, points, ((down + up) / 2, rail))


def _straight(one: Point, other: Point) -> list[Point]:
    across, down = other[0] - one[0], other[1] - one[1]
    steps = max(1, round((abs(across) + abs(down)) / 6))
    return [(one[0] + across * i / steps, one[1] + down * i / steps) for i in range(steps + 1)]


class _Room:
    """Where there is room for what is said of arrows: over no box and nothing else that is said, off other arrows."""

    def __init__(self, ways: list[_Way], boxes: list[Box], width: float, height: float) -> None:
        self._ways, self._width, self._height = ways, width, height
        self._full: dict[tuple[int, int], list[tuple[float, float, float, float]]] = defaultdict(list)
        self._lines: dict[tuple[int, int], set[int]] = defaultdict(set)
        for x, y, w in boxes:
            self._fill(x - 3, y - 2, x + w + 3, y + _HEIGHT + 2)
        for number, way in enumerate(ways):
            for x, y in way.points:
                self._lines[int(x // 6), int(y // 6)].add(number)

    def taken(self, number: int, wide: float) -> Point | None:
        """The middle of the baseline for what is said of an arrow, kept for it from now on; None where there is no room."""
        way = self._ways[number]
        offers = sorted(
            (abs(px - way.best[0]) + abs(py - way.best[1]) + abs(lower + 5), px, py + lower)
            for px, py in way.points[::2]
            for lower in (-5.0, 4.0, 14.0)
        )
        best: tuple[float, Point, tuple[float, float, float, float]] | None = None
        for off, x, y in offers:
            if best is not None and best[0] <= off:
                break  # from here on all are worse, whatever they cross
            area = (x - wide / 2, y - _LINE + 3, x + wide / 2, y + 3)
            if self._free(area):
                cost = off + _CROSSING * len(self._crossed(area) - {number})
                if best is None or cost < best[0]:
                    best = (cost, (x, y), area)
        if best is None:
            return None
        self._fill(*best[2])
        return best[1]

    def _fill(self, left: float, top: float, right: float, bottom: float) -> None:
        for square in _squares(left, top, right, bottom, _REACH):
            self._full[square].append((left, top, right, bottom))

    def _free(self, area: tuple[float, float, float, float]) -> bool:
        left, top, right, bottom = area
        if left < 0 or top < 0 or right > self._width or bottom > self._height:
            return False
        near = (other for square in _squares(*area, _REACH) for other in self._full.get(square, ()))
        return not any(left < r and right > x and top < b and bottom > y for x, y, r, b in near)

    def _crossed(self, area: tuple[float, float, float, float]) -> set[int]:
        return set().union(*(self._lines.get(square, ()) for square in _squares(*area, 6)))


def _squares(left: float, top: float, right: float, bottom: float, side: float) -> Iterator[tuple[int, int]]:
    for i in range(int(left // side), int(right // side) + 1):
        for j in range(int(top // side), int(bottom // side) + 1):
            yield i, j


def _node(node: dict[str, Any], box: Box) -> Markup:
    x, y, width = box
    if node["kind"] == "group":
        url, minor = f"/map?group={quote(node['label'])}", f"{node['services']} services"
    else:
        url = f"/services/{quote(node['id'])}"
        minor = f"{node['contracts']} {'contract' if node['contracts'] == 1 else 'contracts'}"
    kind = "node" + (" here" if node["here"] else "") + (" group" if node["kind"] == "group" else "")
    return Markup(
        '<a href="{url}" class="{kind}"><rect x="{x:.0f}" y="{y:.0f}" width="{w:.0f}" height="{h}" rx="6"/>'
        '<text x="{tx:.0f}" y="{ty:.0f}">{label}</text><text class="minor" x="{tx:.0f}" y="{my:.0f}">{minor}</text></a>'
    ).format(
        url=url,
        kind=kind,
        x=x,
        y=y,
        w=width,
        h=_HEIGHT,
        tx=x + 12,
        ty=y + 18,
        my=y + 33,
        label=node["label"],
        minor=minor,
    )


def _edge(edge: dict[str, Any], way: _Way) -> Markup:
    told = f"{edge['from']} to {edge['to']}: {edge['links']} links, {edge['state']}".replace("group:", "")
    return Markup('<g class="edge {state}"><title>{told}</title><path d="{path}" marker-end="url(#tip)"/></g>').format(
        state=edge["state"], told=told, path=way.path
    )


def _label(edge: dict[str, Any], at: Point) -> Markup:
    said = _said(edge)
    wide = len(said) * _LETTER - 6
    return Markup(
        '<g class="edge {state}"><rect class="plate" x="{left:.0f}" y="{top:.0f}" width="{w:.0f}" height="{h:.0f}"/>'
        '<text class="minor halo" text-anchor="middle" x="{x:.0f}" y="{y:.0f}">{said}</text></g>'
    ).format(
        state=edge["state"], x=at[0], y=at[1], said=said, left=at[0] - wide / 2, top=at[1] - _LINE + 3, w=wide, h=_LINE
    )


def _eased(share: float) -> float:
    """How far along its height a curve of `_forward` is at a share of its width."""
    return 3 * share * share - 2 * share**3


def _said(edge: dict[str, Any]) -> str:
    channels = edge["channels"]
    shown = channels[0] if channels else ("call" if edge["links"] else "")
    if len(shown) > 22:
        shown = shown[:21] + "…"
    more = len(channels) - 1
    mark = _MARKS[edge["state"]]
    if edge["broken"]:
        mark += f" {edge['broken']} of {edge['links']}" if edge["links"] > 1 else ""
    return f"{mark} {shown}{f' +{more}' if more > 0 else ''}"


def sparkline(series: list[dict[str, Any]], title: str) -> Markup:
    """A small chart of what remains, oldest reading on the left."""
    if len(series) < 2:
        return Markup("")
    first, last = series[0]["at"], series[-1]["at"]
    most = max(point["remaining"] for point in series) or 1
    points = [(2 + 116 * (p["at"] - first) / max(1, last - first), 26 - 22 * p["remaining"] / most) for p in series]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return Markup(
        '<svg class="spark" width="120" height="28" viewBox="0 0 120 28" role="img" aria-label="{title}">'
        '<path class="area" d="M2 26L{line}L{end:.1f} 26z"/><path d="M{line}"/></svg>'
    ).format(title=title, line=line, end=points[-1][0])


def badge(left: str, right: str, state: str) -> Markup:
    """A badge for a README: what it is about, and how it stands."""
    colour = {"good": "#1c6638", "bad": "#a1202c", "warn": "#7d4e00"}.get(state, "#56524a")
    a, b = len(left) * 6.6 + 16, len(right) * 6.8 + 16
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w:.0f}" height="20" role="img" aria-label="{left}: {right}">'
        '<title>{left}: {right}</title><rect width="{w:.0f}" height="20" rx="3" fill="#3a3831"/>'
        '<path d="M{a:.0f} 0h{r:.0f}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-{r:.0f}z" fill="{colour}"/>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        '<text x="{lx:.0f}" y="14" textLength="{lt:.0f}">{left}</text>'
        '<text x="{rx:.0f}" y="14" textLength="{rt:.0f}">{right}</text></g></svg>'
    ).format(
        w=a + b, a=a, r=b - 3, colour=colour, left=escape(left), right=escape(right),
        lx=a / 2, lt=a - 16, rx=a + b / 2, rt=b - 16,
    )  # fmt: skip
