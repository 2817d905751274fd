"""Sphinx configuration; build the site with ``sphinx-build -W -b html docs docs/_build/html``."""

import sphinx_autosummary_accessors

import xvcluster  # registers the accessor, which autosummary looks up in xarray's classes

project = "xvcluster"
author = "The xvcluster developers"
copyright = author  # noqa: A001  (Sphinx's name)
version = release = xvcluster.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_autosummary_accessors",
]
templates_path = ["_templates", sphinx_autosummary_accessors.templates_path]
exclude_patterns = ["_build", "jupyter_execute"]

autosummary_generate = True
autodoc_typehints = "none"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_in_temp = True  # the pages write files
nb_execution_raise_on_error = True
nb_execution_timeout = 120

html_theme = "pydata_sphinx_theme"
html_title = "xvcluster"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"show_toc_level": 2, "secondary_sidebar_items": ["page-toc"]}
# pages without a sidebar; only the API has pages below it
pages = "index installation tutorial defend raster_lesson data files cli seisgo pyxpcm".split()
pages += ["methods", "larger", "performance", "architecture", "provinces"]
html_sidebars = {page: [] for page in pages}


def hide_constructor(_app, what, *_):
    """Omit the signatures of classes: users obtain these objects from functions."""
    return ("", None) if what == "class" else None


def setup(app):
    app.connect("autodoc-process-signature", hide_constructor)
