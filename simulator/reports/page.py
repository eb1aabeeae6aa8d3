"""The frame of a report: one HTML page with its own style, readable on a phone, in the dark and on paper."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from simulator.energy.constants import CERTAINTIES, Constant

__all__ = ["constants_table", "html_table", "render_page"]

_STYLE = """
:root{--ink:#1d2430;--soft:#667085;--line:#d6dae1;--page:#fff;--music:#2f7d4f;--speech:#b7791f;--noise:#8a93a3;
--listening:#cfe8d7;--capturing:#f2c14e;--recognizing:#b0399a;--cooling_down:#b9d4ee;--paused:#e3e5e9;--accent:#1f5fbf}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a2b3;--line:#3a4252;--page:#151a22;
--listening:#22452f;--cooling_down:#233f5c;--paused:#2a303b;--accent:#6ea4f4;--music:#57b37e}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1100px;padding:1rem;color:var(--ink);background:var(--page);
font:16px/1.5 system-ui,sans-serif}h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:1.6rem 0 .4rem}
p{margin:.3rem 0}.soft{color:var(--soft)}.scroll{overflow-x:auto}svg{display:block;width:100%;height:auto}
.scroll svg{min-width:640px}
.scroll table{min-width:30rem}svg text{fill:var(--ink);font:12px system-ui,sans-serif}table{border-collapse:collapse;
width:100%;font-size:.92rem}td,th{padding:.25rem .5rem;border-bottom:1px solid var(--line);text-align:left;
vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}td.n{white-space:nowrap}.cards{display:flex;flex-wrap:wrap;
gap:.7rem;margin:.8rem 0}.card{border:1px solid var(--line);border-radius:8px;padding:.5rem .9rem;flex:1 1 9rem}
.card b{display:block;font-size:1.3rem}
.bars{display:grid;grid-template-columns:minmax(7rem,16rem) 1fr;gap:.25rem .7rem;margin:.5rem 0;font-size:.92rem}
.bars .bar{display:flex;align-items:center;gap:.5rem;min-width:0}.bars i{display:block;height:1.05rem;flex:none;
background:var(--accent);border-radius:2px;max-width:calc(100% - 6.5rem)}.bars i.second{background:var(--recognizing)}
.bars .of{flex:1;position:relative;height:1.05rem;background:var(--paused)}.bars .of i{position:absolute;max-width:none}
.bars span{overflow-wrap:anywhere}td.heat{text-align:right;font-variant-numeric:tabular-nums}
.key{display:inline-block;width:.8em;height:.8em}figure{margin:.5rem 0}h3{font-size:1rem;margin:1rem 0 .2rem}
@media(max-width:480px){.stack .scroll table{min-width:0}.stack thead{display:none}.stack tr{display:block;
padding:.3rem 0;border-bottom:1px solid var(--line)}.stack td{display:inline;border:0;padding:0 .4rem 0 0}
.stack td:first-child{font-weight:bold;overflow-wrap:anywhere}.stack td:last-child{display:block;color:var(--soft)}
.bars{grid-template-columns:1fr;gap:0}.bars .bar{margin-bottom:.45rem}}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
@media print{html{font-size:11px}body{max-width:none;font-size:11px}h2+p,h3+p{break-after:avoid}
.scroll{overflow:visible}.scroll svg,.scroll table{min-width:0}
h2,h3{break-after:avoid}tr,.bars,figure{break-inside:avoid}table{font-size:9px}}
"""


def render_page(title: str, sections: Iterable[str]) -> str:
    """Return a page.

    Parameters
    ----------
    title : str
        Escaped here.
    sections : iterable of str
        HTML.
    """
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<link rel='icon' href='data:,'><title>nowplaying: {escape(title)}</title>"
        f"<style>{_STYLE}</style></head><body>{''.join(sections)}</body></html>\n"
    )


def html_table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, n_text: int) -> str:
    """Return a table whose first ``n_text`` columns are text and the others numbers; cells are escaped.

    Parameters
    ----------
    heads : sequence of str
    rows : iterable of sequence of str, each as long as ``heads``
    n_text : int
    """
    kinds = ["" if column < n_text else " class='n'" for column in range(len(heads))]
    head = "".join(f"<th{kind}>{escape(text)}</th>" for kind, text in zip(kinds, heads, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{escape(text)}</td>" for kind, text in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def constants_table(constants: Mapping[str, Constant]) -> str:
    """Return figures with their ranges, how sure they are, and their sources."""
    rows = [
        (
            name,
            f"{one.value:g}",
            f"{one.low:g} to {one.high:g}" if one.has_range else "",
            one.certainty,
            one.source,
        )
        for name, one in constants.items()
    ]
    used = sorted({one.certainty for one in constants.values()})
    legend = "; ".join(f"<b>{letter}</b> {escape(CERTAINTIES[letter])}" for letter in used)
    table = html_table(("constant", "value", "range", "sure", "source"), rows, n_text=5)
    return f"<p class='soft'>How sure: {legend}.</p><div class='stack'>{table}</div>"
