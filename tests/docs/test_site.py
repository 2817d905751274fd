"""The built site: whole without a network, and complete."""

import inspect
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from xvcluster import plot

DOCS = Path(__file__).resolve().parents[2] / "docs"
DRAWN = [n for n in plot.__all__ if inspect.isfunction(getattr(plot, n)) and n != "cluster_colors"]
PAGES = [*DOCS.glob("*.md"), *DOCS.glob("howto/*.md")]


class Tags(HTMLParser):
    """The tags of a page, as (name, attributes)."""

    def __init__(self, path):
        super().__init__()
        self.tags = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="session")
def pages(site):
    return {path.relative_to(site): Tags(path).tags for path in sorted(site.rglob("*.html"))}


@pytest.mark.skipif(not DOCS.exists(), reason="the documentation is not part of this copy")
def test_every_page_describes_itself_to_search_engines():
    assert PAGES
    for page in PAGES:
        description = re.search(
            r"^    description:(.*\n(?:      .*\n)*)", page.read_text("utf-8"), re.M
        )
        assert description, page
        assert len(description[1].strip()) > 30, page


def test_no_page_loads_anything_from_the_network(pages):
    assert pages
    for page, tags in pages.items():
        loaded = [attrs.get("src") for tag, attrs in tags if tag in {"script", "img", "iframe"}]
        loaded += [
            attrs.get("href")
            for tag, attrs in tags
            if tag == "link" and attrs.get("rel") != "canonical"
        ]
        remote = [url for url in loaded if url and re.match(r"(https?:)?//", url)]
        assert not remote, page


def test_every_link_within_the_site_leads_to_a_page(site, pages):
    for page, tags in pages.items():
        for tag, attrs in tags:
            target = (attrs.get("href") or "").partition("#")[0].partition("?")[0]
            if tag != "a" or not target or re.match(r"[a-z]+:", target):
                continue
            assert (site / page.parent / target).exists(), f"{page}: {target}"


def test_every_link_to_a_part_of_a_page_leads_to_it(pages):
    parts = {page: {attrs.get("id") for _, attrs in tags} for page, tags in pages.items()}
    for page, tags in pages.items():
        for tag, attrs in tags:
            target, _, part = (attrs.get("href") or "").partition("#")
            if tag != "a" or not part or re.match(r"[a-z]+:", target):
                continue
            there = Path(os.path.normpath(page.parent / target)) if target else page
            assert unquote(part) in parts[there], f"{page}: {target}#{part}"


@pytest.mark.parametrize("name", DRAWN)
def test_the_page_of_a_figure_shows_it(pages, name):
    tags = pages[Path("generated") / f"xvcluster.plot.{name}.html"]
    drawn = [a["src"] for tag, a in tags if tag == "img" and "_images" in a.get("src", "")]
    assert drawn
