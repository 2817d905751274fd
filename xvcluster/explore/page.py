"""One page of HTML that needs nothing else: written to a file, or shown in a notebook."""

from __future__ import annotations

import html
import json
import os
from dataclasses import dataclass
from importlib import metadata
from importlib.resources import files
from string import Template
from typing import Any

from xvcluster.explore.contents import Contents
from xvcluster.explore.figures import bokeh, make_figures
from xvcluster.explore.packing import pack
from xvcluster.messages import escaped
from xvcluster.options import check_path
from xvcluster.record.replace import replace

_HEIGHT = 900
"""Pixels of a page in a notebook, until it is drawn."""


@dataclass(frozen=True, slots=True, repr=False)
class Explorer:
    """A page to click through a result: in a notebook, shown as it is; or written to a file.

    Attributes
    ----------
    html : str
        The page, complete: it reads no other file and needs no network.
    """

    html: str

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file.

        Parameters
        ----------
        path : path-like
            Must end in ``.html``. Replaced if it exists, but only once the new file is complete.

        Raises
        ------
        ValueError
            If the name has another ending.
        FileNotFoundError
            If the folder does not exist.
        """
        path = check_path("path", path)
        if path.suffix.lower() != ".html":
            raise ValueError(f"the name of a page must end in .html; got {str(path)!r}")
        with replace(path) as temporary:
            temporary.write_text(self.html, encoding="utf-8")

    def _repr_html_(self) -> str:
        """Return a frame that holds the page."""
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" title="explorer of clusters" '
            f'style="width: 100%; height: {_HEIGHT}px; border: 0"></iframe>'
        )

    def __repr__(self) -> str:
        size = len(self.html.encode()) / 1e6
        return f"<xvcluster.Explorer: a page of {size:.1f} MB; write it with save('explorer.html')>"


def make_page(contents: Contents) -> Explorer:
    """Make the page of what it shows."""
    palette = bokeh("palettes").Viridis256
    index, numbers = pack(contents.numbers)
    texts = {**contents.texts, "contents": index, "palette": list(palette)}
    scripts = bokeh("resources").Resources(mode="inline", components=["bokeh"]).js_raw
    page = Template(_read("page.html")).substitute(
        title=escaped(contents.texts["title"]),
        about=escaped(contents.texts["about"], 1000),
        notes=escaped(_notes(contents), 1000),
        style=_read("page.css"),
        bokeh="\n".join(scripts),
        texts=_to_json(texts),
        figures=_to_json(make_figures(contents)),
        numbers=numbers,
        script=_read("page.js"),
    )
    return Explorer(page)


def _notes(contents: Contents) -> str:
    """What a reader of the page should know."""
    notes = [f"Made by xvcluster {metadata.version('xvcluster')} and bokeh."]
    if contents.cells.is_earth:
        notes.append("Coastlines and borders: Natural Earth.")
    if contents.texts["has_profiles"]:
        notes.append(
            "Profiles are stored rounded: each value is within 0.3 % of its difference from the "
            "centroid."
        )
    return " ".join(notes)


def _to_json(value: Any) -> str:
    """Return JSON in which nothing ends the element of HTML that holds it."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _read(name: str) -> str:
    return (files("xvcluster") / "explore" / name).read_text(encoding="utf-8")
