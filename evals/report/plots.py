"""Plots as inline SVG: a figure with its interval beside its control, and a figure over earlier reports.

Colours come from the page's style by class, so that they follow light, dark and print; each plot says in words what it
shows. Coordinates are in pixels.
"""

from collections.abc import Sequence

from casewright.contracts.evaluation import Metric
from evals.report.markup import NOTHING, Markup, element
from evals.report.wording import amount, interval

WIDTH, HEIGHT = 190, 26
TREND_WIDTH, TREND_HEIGHT = 240, 64
_EDGE = 7


def interval_plot(name: str, metric: Metric, control: Metric | None, accepted: float | None) -> Markup:
    """The value as a dot on its interval, the control as a hollow diamond, the accepted value as a tick."""
    most = 1.0 if metric.kind == "share" else _most(metric, control, accepted)
    middle = 9.0 if control is not None else HEIGHT / 2
    shapes = [
        element("line", class_="axis", x1=_n(_EDGE), x2=_n(WIDTH - _EDGE), y1=_n(HEIGHT - 3), y2=_n(HEIGHT - 3)),
        *_marked(metric, most, middle),
    ]
    if control is not None:
        x, y = _place(control.value, most), 17.0
        shapes.append(_span(control, most, y, "span control"))
        path = f"M{x:.1f} {y - 4:.1f}l4 4l-4 4l-4 -4z"
        shapes.append(element("path", d=path, class_="diamond"))
    if accepted is not None:
        x = _place(accepted, most)
        shapes.append(element("line", class_="accepted", x1=_n(x), x2=_n(x), y1="1", y2=_n(HEIGHT - 3)))
    return _drawing(WIDTH, HEIGHT, name, _said(metric, control, accepted), shapes)


def trend_plot(name: str, values: Sequence[Metric], accepted: float | None) -> Markup:
    """A figure over reports from old to new, with the band of its intervals; nothing for fewer than two."""
    if len(values) < 2:
        return NOTHING
    low, high = _range([value.low for value in values], [value.high for value in values], accepted)
    step = (TREND_WIDTH - 2 * _EDGE) / (len(values) - 1)

    def at(index: int, value: float) -> str:
        share = (value - low) / (high - low)
        return f"{_EDGE + index * step:.1f},{TREND_HEIGHT - _EDGE - share * (TREND_HEIGHT - 2 * _EDGE):.1f}"

    upper = [at(index, value.high) for index, value in enumerate(values)]
    lower = [at(index, value.low) for index, value in enumerate(values)]
    middle = [at(index, value.value) for index, value in enumerate(values)]
    shapes = [element("polygon", points=" ".join([*upper, *reversed(lower)]), class_="band")]
    if accepted is not None:
        y = at(0, accepted).partition(",")[2]
        shapes.append(element("line", class_="accepted", x1=_n(_EDGE), x2=_n(TREND_WIDTH - _EDGE), y1=y, y2=y))
    shapes.append(element("polyline", points=" ".join(middle), class_="course"))
    for point in middle:
        x, _, y = point.partition(",")
        shapes.append(element("circle", cx=x, cy=y, r="2.5", class_="dot"))
    said = "from old to new: " + ", ".join(amount(value, value.value) for value in values)
    return _drawing(TREND_WIDTH, TREND_HEIGHT, name, said, shapes)


def bar_plot(name: str, share: float, said: str) -> Markup:
    """A bar over its share of the whole."""
    length = max(1.0, min(1.0, share) * (WIDTH - 2 * _EDGE))
    shapes = [
        element("rect", class_="ground", x=_n(_EDGE), y="4", width=_n(WIDTH - 2 * _EDGE), height="10", rx="3"),
        element("rect", class_="filled", x=_n(_EDGE), y="4", width=_n(length), height="10", rx="3"),
    ]
    return _drawing(WIDTH, 18, name, said, shapes)


def _marked(metric: Metric, most: float, y: float) -> list[Markup]:
    x = _place(metric.value, most)
    return [_span(metric, most, y, "span"), element("circle", cx=_n(x), cy=_n(y), r="4", class_="dot")]


def _span(metric: Metric, most: float, y: float, class_: str) -> Markup:
    x1, x2 = _place(metric.low, most), _place(metric.high, most)
    return element("line", class_=class_, x1=_n(x1), x2=_n(x2), y1=_n(y), y2=_n(y))


def _drawing(width: int, height: int, name: str, said: str, shapes: Sequence[Markup]) -> Markup:
    words = (element("title", name), element("desc", said))
    size = {"width": str(width), "height": str(height), "viewBox": f"0 0 {width} {height}"}
    return element("svg", *words, *shapes, role="img", aria_label=f"{name}: {said}", class_="plot", **size)


def _said(metric: Metric, control: Metric | None, accepted: float | None) -> str:
    parts = [f"{amount(metric, metric.value)}, {interval(metric)}"]
    if control is not None:
        parts.append(f"without enforcement {amount(control, control.value)}")
    if accepted is not None:
        parts.append(f"accepted before {amount(metric, accepted)}")
    return "; ".join(parts)


def _most(metric: Metric, control: Metric | None, accepted: float | None) -> float:
    """The right end of the axis of a mean; it begins at zero, so that lengths compare."""
    return max(metric.high, control.high if control else 0.0, accepted or 0.0) * 1.05 or 1.0


def _place(value: float, most: float) -> float:
    return _EDGE + max(0.0, min(1.0, value / most)) * (WIDTH - 2 * _EDGE)


def _range(lows: Sequence[float], highs: Sequence[float], accepted: float | None) -> tuple[float, float]:
    known = [*lows, *highs, *([] if accepted is None else [accepted])]
    low, high = min(known), max(known)
    room = (high - low) * 0.08 or max(abs(high) * 0.05, 0.01)
    return low - room, high + room


def _n(value: float) -> str:
    return f"{value:.1f}"
