"""Draws the chart of `maps`: a panel per workload, a bar per library, all on one logarithmic scale."""

import math
from xml.sax.saxutils import escape

WIDTH = 920
MARGIN = 24
GAP = 32
NAMES = 138  # pixels for the names at the left of a panel
VALUES = 116  # and for the values at its right
ROW = 17
BAR = 11
HEAD = 46  # title of a panel and its scale
TOP = 74

# A card of its own with colours for light and dark, since a picture does not learn which page it is on.
STYLE = """
  .card { fill: #ffffff; stroke: #d0d7de } .title { fill: #1f2328; font-size: 17px; font-weight: 600 }
  .head { fill: #1f2328; font-size: 13px; font-weight: 600 } .ours { fill: #c2410c; font-size: 13px; font-weight: 600 }
  .text { fill: #424a53; font-size: 12px } .scale { fill: #656d76; font-size: 10px }
  .grid { stroke: #d8dee4 } .line { stroke: #c2410c; stroke-width: 2 }
  .worse { fill: #6b8fb5 } .better { fill: #2f8f5b }
  .text { paint-order: stroke; stroke: #ffffff; stroke-width: 3px }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #30363d } .title, .head { fill: #e6edf3 } .ours { fill: #fb923c }
    .text { fill: #b1bac4; stroke: #0d1117 } .scale { fill: #8b949e }
    .grid { stroke: #262c36 } .line { stroke: #fb923c } .worse { fill: #5f86b0 } .better { fill: #3fb577 }
  }
"""


def svg(title, subtitle, panels, times):
    """The chart as text.

    A panel is a title, our own value, and rows of a name, a ratio to ours, and a value. `times` writes a ratio.
    """
    ratios = [ratio for _, _, rows in panels for _, ratio, _ in rows] or [1]
    low = min(0, math.floor(math.log10(min(ratios)) * 2) / 2)  # half decades: a whole one would be wasted
    high = max(1, math.log10(max(ratios)))
    width = (WIDTH - 2 * MARGIN - GAP) / 2
    per_decade = (width - NAMES - VALUES) / (high - low)
    parts = []

    def text(x, y, style, content, anchor="start"):
        parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(content)}</text>')

    def panel(left, top, heading, ours, rows):
        text(left, top + 14, "head", heading)
        text(left + width, top + 14, "ours", f"Muster {ours}", "end")
        one = left + NAMES - low * per_decade
        bottom = top + HEAD + len(rows) * ROW
        for power in range(math.ceil(low), math.floor(high) + 1):
            x = one + power * per_decade
            parts.append(f'<path d="M{x:.1f} {top + HEAD - 6}V{bottom}" class="grid"/>')
            text(x, top + HEAD - 10, "scale", f"{10 ** power:,g}", "middle")
        for index, (name, ratio, value) in enumerate(rows):
            y = top + HEAD + index * ROW
            x = one + math.log10(ratio) * per_decade
            parts.append(f'<rect x="{min(one, x):.1f}" y="{y + (ROW - BAR) / 2:.1f}" width="{abs(x - one):.1f}" '
                         f'height="{BAR}" rx="2" class="{"worse" if ratio >= 1 else "better"}"/>')
            text(left + NAMES - 8, y + 12.5, "text", name, "end")
            text(max(one, x) + 6, y + 12.5, "text", f"{value}  ({times(ratio)})")
        parts.append(f'<path d="M{one:.1f} {top + HEAD - 6}V{bottom}" class="line"/>')
        return bottom

    top = TOP
    for start in range(0, len(panels), 2):
        bottoms = [panel(MARGIN + column * (width + GAP), top, *one)
                   for column, one in enumerate(panels[start:start + 2])]
        top = max(bottoms) + 22
    height = top
    text(MARGIN, 36, "title", title)
    text(MARGIN, 56, "text", subtitle)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" class="card"/>',
        *parts, "</svg>", ""])
