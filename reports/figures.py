"""Inline SVG drawn by matplotlib: the same bytes for the same record, coloured by the page's style sheet.

The court measures `m asked` and `least m`; a figure shows them and adds no number of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import NullLocator

from reports.drawing import (
    INK,
    LINE,
    MUTE,
    PROMISE,
    RULE,
    label_decades,
    label_round,
    plain,
    size_label,
    svg,
)
from reports.words import number

_LEAST_DECADES = 1e-300  # a probability below this is drawn on the floor of the axis


def failure_curve(record: dict[str, Any], *, prefix: str) -> str:
    """Failure probability against size: exact line, sampled points with limits, the promise, asked and least m.

    Parameters
    ----------
    record : with at least one entry in `curve`
    prefix : of every id inside the drawing; unique within the page

    Returns
    -------
    svg : one `<svg>` element with title and description
    """
    points = sorted(record["curve"], key=lambda point: point["c"])
    delta = record["delta"]
    floor = _floor(points, delta)
    asked, least = sizes(record)

    def draw(figure: Any) -> None:
        axes = figure.add_axes((0.13, 0.17, 0.84, 0.71))
        exact = [point for point in points if point["kind"] == "exact"]
        sampled = [point for point in points if point["kind"] == "sampled"]
        _draw_exact(axes, exact, floor)
        _draw_sampled(axes, sampled, floor)
        axes.set_xscale("log")
        axes.set_yscale("log")
        marks = [point["c"] for point in points] + [1.0]
        marks += [least / asked] if asked and least else []
        axes.set_xlim(min(marks) / 1.25, max(marks) * 1.25)
        axes.set_ylim(floor, 2.0)
        label_decades(axes.yaxis, floor, 1.0)
        label_round(axes.xaxis, axes.get_xlim(), "{:g}".format)
        axes.set_xlabel("c = m / m asked")
        axes.set_ylabel("P[fail]")
        _mark_size(axes, 1.0, "asked", lift=4)
        if asked and least:
            apart = abs(math.log(least / asked)) / math.log(max(marks) / min(marks) * 1.25**2)
            lift = 4 if apart > 0.2 else 14  # above the other label where they would meet
            _mark_size(axes, least / asked, f"least m = {number(least)}", lift=lift)
        if delta:
            axes.axhline(delta, color=PROMISE, linewidth=1.0, linestyle=(0, (5, 3)))
            place = {"xytext": (-5, 3), "textcoords": "offset points", "ha": "right", "color": PROMISE}
            axes.annotate(f"promise δ = {delta:g}", (1.0, delta), **place)

    title = f"Failure probability against size on {record['instance']}"
    ends = " to ".join(f"{point['estimate']:.3g} at c = {point['c']:.3g}" for point in (points[0], points[-1]))
    promise = f"; promise {delta:g}" if delta else ""
    return svg(draw, size=(5.4, 3.0), prefix=prefix, title=title, says=f"From {ends}{promise}.")


def least_sizes(records: Sequence[dict[str, Any]], *, prefix: str) -> str:
    """A row per instance: the least m that works and the m asked, on one log axis.

    Parameters
    ----------
    records : each with the numbers `m asked` and `least m` in `measured`; at least one
    prefix : of every id inside the drawing; unique within the page

    Returns
    -------
    svg : one `<svg>` element with title and description
    """
    pairs = [(record["measured"]["m asked"], record["measured"]["least m"]) for record in records]
    everything = [value for pair in pairs for value in pair]
    names = [plain(f"{record['number']}  {record['instance']}") for record in records]
    height = 0.62 + 0.23 * len(records)
    left = 0.02 + 0.012 * max(map(len, names))  # a character of the drawing font is at most 0.012 of the width

    def draw(figure: Any) -> None:
        axes = figure.add_axes((left, 0.42 / height, 0.88 - left, 1 - 0.52 / height))
        axes.set_xscale("log")
        axes.set_xlim(min(everything) / 1.6, max(everything) * 1.6)
        axes.set_ylim(len(records) - 0.5, -0.5)
        axes.spines["left"].set_visible(False)
        axes.yaxis.set_major_locator(NullLocator())
        label_round(axes.xaxis, axes.get_xlim(), size_label)
        axes.set_xlabel("m")
        for row, (record, (asked, least)) in enumerate(zip(records, pairs, strict=True)):
            axes.plot([least, asked], [row, row], color=RULE, linewidth=1.5, zorder=1)
            axes.plot([asked], [row], marker="o", markersize=6, color=LINE, markerfacecolor="none", zorder=2)
            axes.plot([least], [row], marker="o", markersize=6, color=LINE, zorder=3)
            beside = {"textcoords": "offset points", "va": "center", "parse_math": False}
            axes.annotate(
                names[row],
                (0, row),
                xycoords=("axes fraction", "data"),
                xytext=(-8, 0),
                ha="right",
                color=INK,
                **beside,
            )
            if record["slack"] is not None:
                ratio = f"× {record['slack']:.3g}"
                axes.annotate(ratio, (1, row), xycoords=("axes fraction", "data"), xytext=(8, 0), **beside)

    says = "; ".join(
        f"{record['instance']}: {number(least)} of {number(asked)}"
        for record, (asked, least) in zip(records, pairs, strict=True)
    )
    title = "Least m that works and the m asked, per instance"
    return svg(draw, size=(7.2, height), prefix=prefix, title=title, says=f"{says}.")


def sizes(record: dict[str, Any]) -> tuple[float | None, float | None]:
    """(m asked, least m) as measured, None where not a positive number."""

    def positive(name: str) -> float | None:
        value = record["measured"].get(name)
        return value if isinstance(value, int | float) and value > 0 else None

    return positive("m asked"), positive("least m")


def _floor(points: Sequence[dict[str, Any]], delta: float | None) -> float:
    """The decade under everything positive that is drawn; a zero is drawn on it."""
    drawn = [delta or 1.0]
    for point in points:
        drawn += [point[name] for name in ("lower", "estimate", "upper") if point[name] >= _LEAST_DECADES]
    return 10.0 ** (math.floor(math.log10(min(drawn))) - 1)


def _draw_exact(axes: Any, exact: Sequence[dict[str, Any]], floor: float) -> None:
    sizes_seen = [point["c"] for point in exact]
    lower, middle, upper = ([max(point[name], floor) for point in exact] for name in ("lower", "estimate", "upper"))
    axes.fill_between(sizes_seen, lower, upper, color=LINE, alpha=0.18, linewidth=0)
    axes.plot(sizes_seen, middle, color=LINE, linewidth=1.4, marker="o", markersize=2.6)


def _draw_sampled(axes: Any, sampled: Sequence[dict[str, Any]], floor: float) -> None:
    """Bars between the limits; without a failure a triangle marks the upper limit, the only number there is."""
    for point in sampled:
        lower, upper = max(point["lower"], floor), max(point["upper"], floor)
        axes.plot([point["c"]] * 2, [lower, upper], color=INK, linewidth=1.0, zorder=4)
        seen = point["estimate"] >= floor
        height = point["estimate"] if seen else upper
        marker = "s" if seen else "v"
        axes.plot([point["c"]], [height], marker=marker, markersize=4.5, color=INK, zorder=5)


def _mark_size(axes: Any, c: float, words: str, *, lift: int) -> None:
    """A vertical line with its words above the frame, where no curve runs."""
    axes.axvline(c, color=MUTE, linewidth=0.8, linestyle=(0, (1, 2)))
    place = {"xytext": (0, lift), "textcoords": "offset points", "ha": "center", "annotation_clip": False}
    axes.annotate(words, (c, 1), xycoords=("data", "axes fraction"), **place)
