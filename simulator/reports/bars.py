"""Bars, sensitivity_rows and heat maps as plain HTML: they wrap on a phone and print on paper."""

from collections.abc import Sequence
from html import escape

from simulator.days.sensitivity import SensitivityRow
from simulator.days.sweeps import Sweep

__all__ = ["bars", "heat_map", "tornado_bars"]


def bars(rows: Sequence[tuple[str, float, str]]) -> str:
    """Return horizontal bars.

    Parameters
    ----------
    rows : sequence of (str, float >= 0, str)
        Label, length, and what to write behind the bar.
    """
    largest = max((value for _, value, _ in rows), default=0.0) or 1.0
    parts = []
    for label, value, text in rows:
        width = 100 * value / largest
        parts.append(
            f"<span>{escape(label)}</span><div class='bar'><i style='width:{width:.2f}%'></i>"
            f"<span>{escape(text)}</span></div>"
        )
    return f"<div class='bars'>{''.join(parts)}</div>"


def tornado_bars(sensitivity: Sequence[SensitivityRow], base_mah: float) -> str:
    """Return, for each figure, the span of a day's charge between its ends, around the charge as it is.

    Parameters
    ----------
    sensitivity : sequence of SensitivityRow
        The furthest first.
    base_mah : float, mAh
    """
    ends = [end for row in sensitivity for end in (row.low_mah, row.high_mah)] + [base_mah]
    least, most = min(ends), max(ends)
    scale = 100 / max(most - least, 1e-9)
    parts = []
    for row in sensitivity:
        low, high = sorted((row.low_mah, row.high_mah))
        left, width = scale * (low - least), max(0.3, scale * (high - low))
        middle = scale * (base_mah - least)
        one = row.constant
        parts.append(
            f"<span>{escape(row.name)} ({one.low:.3g} to {one.high:.3g})</span>"
            f"<div class='bar'><div class='of'><i style='left:{left:.2f}%;width:{width:.2f}%'></i>"
            f"<i style='left:{middle:.2f}%;width:2px;background:var(--ink)'></i></div>"
            f"<span style='flex:0 0 7rem'>{row.low_mah:.2f} to {row.high_mah:.2f}</span></div>"
        )
    return f"<div class='bars'>{''.join(parts)}</div>"


def heat_map(sweep: Sweep) -> str:
    """Return a table whose cells are the darker the larger their value."""
    values = [value for row in sweep.values for value in row]
    least, most = min(values), max(values)
    head = "".join(f"<th class='n'>{column:.10g}</th>" for column in sweep.columns)
    body = []
    for name, row in zip(sweep.rows, sweep.values, strict=True):
        cells = []
        for value in row:
            share = (value - least) / max(most - least, 1e-12)
            colour = f"color-mix(in srgb, var(--recognizing) {8 + 62 * share:.0f}%, var(--page))"
            cells.append(f"<td class='heat' style='background:{colour}'>{value:.3g}</td>")
        body.append(f"<tr><th class='n'>{name:.10g}</th>{''.join(cells)}</tr>")
    return (
        f"<figure><h3>{escape(sweep.title)}</h3><p class='soft'>{escape(sweep.unit)}; rows: {escape(sweep.row_name)}, "
        f"columns: {escape(sweep.column_name)}</p><div class='scroll'><table><thead><tr><th></th>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div></figure>"
    )
