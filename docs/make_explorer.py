"""Make ``docs/_static/explorer.png``: the explorer of the ocean sample, with a point clicked.

Run by hand when the page looks different; needs Chromium:

    python docs/make_explorer.py
"""

import runpy
import tempfile
import time
from pathlib import Path

from PIL import Image

import xvcluster

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "_static" / "explorer.png"
SIZE = (1200, 760)
ATLANTIC = (-30.0, 42.0)
NAMES = ("Antarctic", "Fresh north", "Subpolar", "Subtropical", "Tropical", "Salty gyres")


def main() -> None:
    """Cluster the ocean, open its page, click, and draw it in few colours."""
    ocean = xvcluster.tutorial.ocean().vcluster.prepare(depth=slice(0, 1000))
    page = ocean.vcluster.kmeans(6).rename(dict(enumerate(NAMES, 1))).explore()
    chromium = runpy.run_path(str(ROOT / "tests" / "explore" / "conftest.py"))["Chromium"]
    with tempfile.TemporaryDirectory() as folder, chromium(*SIZE) as browser:
        path = Path(folder) / "page.html"
        page.save(path)
        browser.open(path)
        time.sleep(1)
        x, y = browser.evaluate(f"""(() => {{
          const frame = Bokeh.index.get(map).frame.bbox, box = at("map").getBoundingClientRect()
          const share = (range, value) => (value - range.start) / (range.end - range.start)
          return [box.left + frame.left + share(map.x_range, {ATLANTIC[0]}) * frame.width,
                  box.top + frame.top + (1 - share(map.y_range, {ATLANTIC[1]})) * frame.height]
        }})()""")
        browser.click(x, y)
        time.sleep(1)
        picture = Path(folder) / "page.png"
        browser.picture(picture)
        colors = Image.open(picture).convert("RGB").quantize(128, dither=Image.Dither.NONE)
        colors.save(TARGET, optimize=True)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
