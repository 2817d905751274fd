import re
import sys

import pytest

from xvcluster.explore.page import Explorer

HOSTILE = "</script><img src=x onerror=fail()>&$$\\href{x}{y}$$"


@pytest.fixture
def page(model):
    return model.vcluster.kmeans(3).explore()


def test_a_page_loads_nothing(page):
    own = re.sub(r"<script>\n.*?</script>", "", page.html, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!data:)', own)
    assert "url(" not in own
    assert "import(" not in own


def test_save_writes_the_page_in_one_step(page, tmp_path):
    path = tmp_path / "atlas.html"
    path.write_text("former")
    page.save(path)
    assert path.read_text(encoding="utf-8") == page.html
    assert [p.name for p in tmp_path.iterdir()] == ["atlas.html"]


def test_what_stood_there_stays_where_a_page_cannot_be_written(tmp_path):
    path = tmp_path / "atlas.html"
    path.write_text("former")
    with pytest.raises(UnicodeEncodeError):
        Explorer("\ud800").save(path)
    assert path.read_text() == "former"
    assert [p.name for p in tmp_path.iterdir()] == ["atlas.html"]


def test_save_refuses_other_endings_and_folders_that_are_not_there(page, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.html; got '.*atlas\.png'"):
        page.save(tmp_path / "atlas.png")
    with pytest.raises(ValueError, match=r"must end in \.html; got '.*atlas\.htm'"):
        page.save(tmp_path / "atlas.htm")
    with pytest.raises(FileNotFoundError, match="does not exist; create it"):
        page.save(tmp_path / "none" / "atlas.html")
    with pytest.raises(TypeError, match="path must be the path of a file; got 3"):
        page.save(3)


def test_a_notebook_shows_the_page_in_a_frame(page):
    import html

    shown = page._repr_html_()
    inner = re.fullmatch(r'<iframe srcdoc="([^"<>]*)" [^<>]*></iframe>', shown)[1]
    assert html.unescape(inner) == page.html
    assert re.fullmatch(r"<xvcluster\.Explorer: a page of 1\.\d MB; .*>", repr(page))


def test_text_of_a_file_is_never_markup(model, read_page):
    data = model.rename(HOSTILE.replace("/", ""))
    data.attrs |= {"long_name": HOSTILE, "units": HOSTILE}
    data["depth"].attrs |= {"long_name": HOSTILE}
    data = data.to_dataset().assign_attrs(title=HOSTILE)
    result = data.vcluster.kmeans(3).rename({1: HOSTILE})
    page = result.explore().html
    texts, _ = read_page(page)
    assert texts["clusterings"][0]["names"][0] == HOSTILE
    assert "<img" not in page.replace("document.createElement", "")
    assert page.count("</script>") == len(re.findall(r"<script[ >]", page)) == 5


def test_without_bokeh_the_extra_is_named(model, monkeypatch):
    result = model.vcluster.kmeans(3)
    monkeypatch.setitem(sys.modules, "bokeh.embed", None)
    with pytest.raises(ImportError, match=r'explorer needs bokeh, .*"xvcluster\[explore\]"'):
        result.explore()
