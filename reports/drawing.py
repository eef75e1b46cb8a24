"""What every drawing shares: colours of the style sheet, labelled axes, and the way from matplotlib into the page."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

# Colours that no one would choose: after drawing, each becomes a variable of the style sheet, for light and dark.
INK, MUTE, RULE, LINE, PROMISE = "#010203", "#010204", "#010205", "#010206", "#010207"
SERIES = ("#010208", "#010209", "#01020a", "#01020b", "#01020c", "#01020d")
"""Of lines that must be told apart."""
_VARIABLES = {INK: "ink", MUTE: "mute", RULE: "rule", LINE: "line", PROMISE: "refuted"} | {
    colour: f"series-{k}" for k, colour in enumerate(SERIES)
}
_STYLE = {
    "svg.hashsalt": "leverage-theorems",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": MUTE,
    "axes.labelcolor": MUTE,
    "axes.edgecolor": RULE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTE,
    "ytick.color": MUTE,
    "xtick.direction": "out",
}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float) -> str:
    """0.001 as 10⁻³; 0.1 to 1000 in digits."""
    exponent = round(math.log10(value))
    if -1 <= exponent <= 3:
        return f"{value:g}"
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def label_decades(axis: Any, low: float, high: float) -> None:
    """At most seven labelled powers of ten."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    step = max(1, math.ceil((last - first) / 6))
    ticks = [10.0**exponent for exponent in range(last, first - 1, -step)]
    set_ticks(axis, ticks, [power_of_ten(tick) for tick in ticks])


def label_round(axis: Any, limits: tuple[float, float], write: Callable[[float], str]) -> None:
    """Label at 1, 2, 5 times powers of ten; at powers only over long ranges, and more closely over short ones."""
    low, high = (math.log10(float(end)) for end in limits)
    if high - low > 6:
        label_decades(axis, 10**low, 10**high)
        return
    digits: tuple[float, ...] = (1, 2, 5) if high - low < 2.7 else (1,)
    if high - low < 0.9:
        digits = (1, 1.5, 2, 3, 4, 5, 7)
    ticks = [float(f"{d:g}e{e}") for e in range(math.floor(low), math.ceil(high) + 1) for d in digits]
    shown = [tick for tick in ticks if limits[0] <= tick <= limits[1]]
    set_ticks(axis, shown, [write(tick) for tick in shown])


def size_label(size: float) -> str:
    """A size on an axis: in full below 100,000, then as a power of ten where it is one."""
    return f"{size:,.0f}" if size < 1e5 else power_of_ten(size) if math.log10(size).is_integer() else f"{size:g}"


def plain(name: str, *, limit: int = 34) -> str:
    """ASCII of bounded length: the drawing font has few scripts, and the table beside it has the full name."""
    shown = name.encode("ascii", "backslashreplace").decode("ascii")
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def set_ticks(axis: Any, ticks: Sequence[float], labels: Sequence[str]) -> None:
    """Label an axis at these places and nowhere else."""
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_ticklabels(labels)
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def svg(draw: Callable[[Any], None], *, size: tuple[float, float], prefix: str, title: str, says: str) -> str:
    """Draw under a fixed style, then make the drawing a part of the page: no date, no address, its own ids."""
    with mpl.rc_context():
        mpl.rcdefaults()  # a reader's own matplotlibrc must not change the page
        mpl.rcParams.update(_STYLE)
        figure = Figure(figsize=size, facecolor="none")
        draw(figure)
        for axes in figure.axes:
            axes.set_facecolor("none")
        stream = io.BytesIO()
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        FigureCanvasSVG(figure).print_svg(stream, metadata=metadata)
    text = stream.getvalue().decode("utf-8")
    body = text[text.index(">", text.index("<svg")) + 1 :]
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var(--{variable})")
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', body))
    body = re.sub(r' id="([^"]+)"', lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else "", body)
    body = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}-", body.replace("xlink:href", "href"))
    width, height = (72 * side for side in size)
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="{prefix}-title {prefix}-says">'
        f'<title id="{prefix}-title">{escape(title)}</title><desc id="{prefix}-says">{escape(says)}</desc>'
        f"{body.rstrip()}"
    )
