"""The figures of a study: its table drawn as lines, in panels that share their axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import MaxNLocator

from reports.drawing import INK, SERIES, label_round, plain, size_label, svg
from reports.studies import drawn
from reports.words import number

_PANELS_PER_ROW = 3
_MARKERS = "os^Dvp"
_LONGEST = 60  # characters of a name in the key


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of one panel: its name, and its points from left to right."""

    name: str
    points: tuple[tuple[float, float], ...]


def study_figure(study: dict[str, Any], figure: dict[str, Any], *, prefix: str) -> str | None:
    """Lines over a column of a study, told apart by colour and marker.

    Empty cells are not drawn, nor are numbers that a logarithmic axis has no place for.

    Parameters
    ----------
    study, figure : of a checked studies file
    prefix : of every id inside the drawing; unique within the page

    Returns
    -------
    svg : one `<svg>` element with title and description; None where the table has nothing to draw
    """
    panels = panels_of(study, figure)
    if not panels:
        return None
    names = list(dict.fromkeys(line.name for lines in panels.values() for line in lines))
    columns, height = min(len(panels), _PANELS_PER_ROW), -(-len(panels) // _PANELS_PER_ROW)
    width = {1: 5.4, 2: 7.6, 3: 9.4}[columns]
    entries = names + [words for _, words in filter(None, [figure["level"]])]
    beside = _beside(entries, width)
    key = 0.2 * -(-len(entries) // beside) if len(entries) > 1 else 0.0  # a line alone is named by its axis
    size = (width, key + 2.7 * height)

    def draw(canvas: Any) -> None:
        grid = canvas.subplots(height, columns, sharex=True, sharey=True, squeeze=False)
        handles: dict[str, Any] = {}
        for axes, (title, lines) in zip(grid.flat, panels.items(), strict=False):
            handles |= _draw_panel(axes, title, lines, names, figure)
        for axes in grid.flat[len(panels) :]:
            axes.remove()
        for axes in grid.flat[: len(panels)]:
            axes.tick_params(labelbottom=True)  # also above a panel that is not there
        _label(grid[0][0], figure)
        canvas.subplots_adjust(
            left=0.75 / size[0],
            right=1 - 0.12 / size[0],
            bottom=0.55 / size[1],
            top=1 - (0.3 + key) / size[1],
            wspace=0.1,
            hspace=0.45,
        )
        if key:
            _draw_key(canvas, {name: handles[name] for name in entries}, beside)

    says = "; ".join(_ends(title, line) for title, lines in panels.items() for line in lines)
    title = f"{study['title']}: {', '.join(figure['y'])} against {figure['x']}"
    return svg(draw, size=size, prefix=prefix, title=title, says=f"{says}.")


def _ends(title: str, line: Line) -> str:
    """A line in words."""
    (x, y), (last_x, last_y) = line.points[0], line.points[-1]
    where = f"{title}, {line.name}" if title else line.name
    return f"{where}: from {number(y)} at {number(x)} to {number(last_y)} at {number(last_x)}"


def panels_of(study: dict[str, Any], figure: dict[str, Any]) -> dict[str, list[Line]]:
    """Panels by their titles, each with its lines; in the order of the table, or of numbers, without empty ones."""
    rows = drawn(study, figure)
    if figure["panels"] and not any(isinstance(row[figure["panels"]], str | None) for row in rows):
        rows.sort(key=lambda row: row[figure["panels"]])
    points: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for row in rows:
        panel = _told(figure["panels"], row) if figure["panels"] else ""
        told = [_told(name, row) for name in figure["by"]]
        for y in figure["y"]:
            names = [y, *told] if len(figure["y"]) > 1 or not told else told
            if _has_a_place(row[figure["x"]], figure["x_scale"]) and _has_a_place(row[y], figure["y_scale"]):
                point = (float(row[figure["x"]]), float(row[y]))
                points.setdefault(panel, {}).setdefault(", ".join(names), []).append(point)
    return {
        panel: [Line(name=name, points=tuple(sorted(found))) for name, found in lines.items()]
        for panel, lines in points.items()
    }


def _told(name: str, row: dict[str, Any]) -> str:
    """What tells a row apart: a text speaks for itself, a number needs its name."""
    cell = row[name]
    return cell if isinstance(cell, str) else f"{name} = {'none' if cell is None else number(cell)}"


def _has_a_place(cell: Any, scale: str) -> bool:
    return cell is not None and (scale == "linear" or cell > 0)


def _draw_panel(
    axes: Any, title: str, lines: Sequence[Line], names: Sequence[str], figure: dict[str, Any]
) -> dict[str, Any]:
    """Draw the lines of one panel, and give what the key shows of each."""
    handles: dict[str, Any] = {}
    axes.set_xscale(figure["x_scale"])
    axes.set_yscale(figure["y_scale"])
    for line in lines:
        k = names.index(line.name)
        again = k // len(SERIES)  # beyond six lines the colours return, with open markers and dashes
        (handles[line.name],) = axes.plot(
            *zip(*line.points, strict=True),
            color=SERIES[k % len(SERIES)],
            marker=_MARKERS[k % len(_MARKERS)],
            markersize=3.6,
            markerfacecolor="none" if again else SERIES[k % len(SERIES)],
            linewidth=1.3,
            linestyle=(0, (4, 2)) if again else "-",
        )
    if figure["level"] is not None:
        height, words = figure["level"]
        handles[words] = axes.axhline(height, color=INK, linewidth=0.9, linestyle=(0, (5, 3)))
    axes.set_title(plain(title), loc="left", fontsize=9.0, pad=6, parse_math=False)
    axes.set_xlabel(plain(figure["x"]), parse_math=False)
    return handles


def _draw_key(canvas: Any, entries: dict[str, Any], beside: int) -> None:
    """Name the lines above all panels, where they cross none of them."""
    key = canvas.legend(
        list(entries.values()),
        [plain(name, limit=_LONGEST) for name in entries],
        loc="upper left",
        ncols=beside,
        frameon=False,
        borderaxespad=0.1,
        labelspacing=0.4,
    )
    for words in key.get_texts():
        words.set_parse_math(False)


def _label(axes: Any, figure: dict[str, Any]) -> None:
    """Ticks where a reader expects them; all panels share those of the first."""
    if len(figure["y"]) == 1:
        axes.set_ylabel(plain(figure["y"][0]), parse_math=False)
    for axis, limits, scale in (
        (axes.xaxis, axes.get_xlim(), figure["x_scale"]),
        (axes.yaxis, axes.get_ylim(), figure["y_scale"]),
    ):
        if scale == "log":
            label_round(axis, limits, lambda tick: f"{tick:g}" if tick < 1000 else size_label(tick))
        else:
            axis.set_major_locator(MaxNLocator(nbins=5))


def _beside(entries: Sequence[str], width: float) -> int:
    """How many entries of the key stand beside each other."""
    longest = min(_LONGEST, max(map(len, entries)))
    return max(1, min(len(entries), int(width / (0.5 + 0.075 * longest))))
