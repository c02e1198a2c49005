"""Drawings as SVG, made on the server: no script, no style attribute, every box a link, every edge with its state in words."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

_HEIGHT, _ROW, _COLUMN, _PAD = 42, 62, 170, 24
_CHARACTER = 7.4
_SWEEPS = 6
_DENSE = 1.5
"""Arrows a group from which on a grid shows more than arrows do."""
_LABELLED = 30
"""Arrows up to which each says its channel; of more, only those that do not fit do."""
_CELL = 30
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
    columns = _ordered(layers, edges)
    place, width, height = _placed(columns, nodes, edges)
    drawn = [edge for edge in edges if edge["from"] != edge["to"]]
    parts = [_edge(edge, place) for edge in drawn]
    parts += [_node(node, place[node["id"]]) for node in nodes.values()]
    # Last, so that no box hides what is said of an arrow.
    taken: list[tuple[float, float]] = []
    told = drawn if len(drawn) <= _LABELLED else [edge for edge in drawn if edge["state"] != "holds"]
    parts += [_label(edge, _free(_label_place(edge, place), taken)) for edge in told]
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


def _ordered(layer: dict[str, int], edges: list[dict[str, Any]]) -> list[list[str]]:
    """The columns, each in an order that lets few edges cross: by the middle of a node's neighbours, back and forth."""
    columns: list[list[str]] = [[] for _ in range(max(layer.values()) + 1)]
    for name in sorted(layer):
        columns[layer[name]].append(name)
    near: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        near[edge["from"]].append(edge["to"])
        near[edge["to"]].append(edge["from"])
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
    columns: list[list[str]], nodes: dict[str, dict[str, Any]], edges: list[dict[str, Any]]
) -> tuple[dict[str, Box], float, float]:
    """Left, top and width of each node, and the size of the whole."""
    place: dict[str, Box] = {}
    tallest = max(len(column) for column in columns)
    labelled = {edge["from"] for edge in edges}
    left = float(_PAD)
    for column in columns:
        width = max(max(len(nodes[n]["label"]) for n in column) * _CHARACTER + 28, 96)
        top = _PAD + (tallest - len(column)) * _ROW / 2
        for i, name in enumerate(column):
            place[name] = (left, top + i * _ROW, width)
        left += width + (_COLUMN if any(n in labelled for n in column) else 40)
    width = max(x + w for x, _, w in place.values()) + _PAD
    back = any(place[e["to"]][0] <= place[e["from"]][0] for e in edges if e["from"] != e["to"])
    return place, width, tallest * _ROW + 2 * _PAD - (_ROW - _HEIGHT) + (50 if back else 0)


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


def _edge(edge: dict[str, Any], place: dict[str, Box]) -> Markup:
    (x1, y1, w1), (x2, y2, _) = place[edge["from"]], place[edge["to"]]
    start, end = (x1 + w1, y1 + _HEIGHT / 2), (x2, y2 + _HEIGHT / 2)
    if x2 > x1:
        bend = (end[0] - start[0]) / 2
        path = f"M{start[0]:.0f} {start[1]:.0f}C{start[0] + bend:.0f} {start[1]:.0f} {end[0] - bend:.0f} {end[1]:.0f} {end[0] - 2:.0f} {end[1]:.0f}"
    else:  # against the reading direction: below everything in between
        low = max(y1, y2) + _HEIGHT + 40
        path = (
            f"M{x1 + w1 / 2:.0f} {y1 + _HEIGHT:.0f}C{x1 + w1 / 2:.0f} {low:.0f} {x2 + 30:.0f} {low:.0f} "
            f"{x2 + 30:.0f} {y2 + _HEIGHT + 2:.0f}"
        )
    told = f"{edge['from']} to {edge['to']}: {edge['links']} links, {edge['state']}".replace("group:", "")
    return Markup('<g class="edge {state}"><title>{told}</title><path d="{path}" marker-end="url(#tip)"/></g>').format(
        state=edge["state"], told=told, path=path
    )


def _label_place(edge: dict[str, Any], place: dict[str, Box]) -> tuple[float, float]:
    """Where what is said of an edge goes: in the gap before its end, where those that leave one box have parted."""
    (x1, y1, w1), (x2, y2, _) = place[edge["from"]], place[edge["to"]]
    if x2 <= x1:
        return (x1 + x2 + w1) / 2, max(y1, y2) + _HEIGHT + 26
    across = x2 - x1 - w1
    return x2 - _COLUMN * 0.42, y1 + (y2 - y1) * _eased(1 - _COLUMN * 0.42 / across) + _HEIGHT / 2 - 5


def _free(at: tuple[float, float], taken: list[tuple[float, float]]) -> tuple[float, float]:
    """The place, or the next one below it that no label has."""
    x, y = at
    while any(abs(x - other_x) < 110 and abs(y - other_y) < 12 for other_x, other_y in taken):
        y += 12
    taken.append((x, y))
    return x, y


def _label(edge: dict[str, Any], at: tuple[float, float]) -> Markup:
    return Markup(
        '<g class="edge {state}"><text class="minor halo" text-anchor="middle" x="{x:.0f}" y="{y:.0f}">{said}</text></g>'
    ).format(state=edge["state"], x=at[0], y=at[1], said=_said(edge))


def _eased(share: float) -> float:
    """How far along its height a curve of `_edge` is at a share of its width."""
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
