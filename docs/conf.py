"""Sphinx configuration; build the site with ``sphinx-build -W -b html docs docs/_build/html``."""

import os
import re

import sphinx_autosummary_accessors
from docutils.nodes import Text, literal_block
from sphinx.addnodes import desc_signature

import xvcluster  # registers the accessor, which autosummary looks up in xarray's classes

project = "xvcluster"
author = "The xvcluster developers"
copyright = author  # noqa: A001  (Sphinx's name)
version = release = xvcluster.__version__

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_autosummary_accessors",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates", sphinx_autosummary_accessors.templates_path]
exclude_patterns = ["_build", "gallery", "generated/gallery/*.ipynb", "jupyter_execute", "paper"]

autosummary_generate = True
autodoc_typehints = "none"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_preprocess_types = True
napoleon_type_aliases = {
    "Axes": "~matplotlib.axes.Axes",
    "matplotlib Axes": "~matplotlib.axes.Axes",
    "xr.DataArray": "~xarray.DataArray",
    "xr.Dataset": "~xarray.Dataset",
    "DataArray": "~xarray.DataArray",
    "Dataset": "~xarray.Dataset",
    "Figure": "~matplotlib.figure.Figure",
    "GeoAxes": "~cartopy.mpl.geoaxes.GeoAxes",
    "GeoDataFrame": "~geopandas.GeoDataFrame",
    "ndarray": "~numpy.ndarray",
}

# what is linked to is listed in these files (of the first version of the format, which is plain
# text), so that the build needs no network
intersphinx_mapping = {
    name: (address, f"_inventories/{name}.inv")
    for name, address in {
        "cartopy": "https://scitools.org.uk/cartopy/docs/latest/",
        "geopandas": "https://geopandas.org/en/stable/",
        "python": "https://docs.python.org/3/",
        "matplotlib": "https://matplotlib.org/stable/",
        "numpy": "https://numpy.org/doc/stable/",
        "pandas": "https://pandas.pydata.org/docs/",
        "sklearn": "https://scikit-learn.org/stable/",
        "xarray": "https://docs.xarray.dev/en/stable/",
    }.items()
}

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_in_temp = True  # the pages write files
nb_execution_raise_on_error = True
nb_execution_timeout = 120

mathjax_path = "mathjax/tex-chtml.js"

plot_include_source = True
plot_html_show_formats = False
plot_html_show_source_link = False
plot_formats = [("png", 110)]

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "generated/gallery",
    "filename_pattern": r"\.py$",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("xvcluster",),
    "reference_url": {"xvcluster": None},
    "within_subsection_order": "FileNameSortKey",
    "capture_repr": (),
    "abort_on_example_error": True,
    "show_signature": False,
    "write_computation_times": False,
    "image_srcset": ["2x"],
}

# prompts are not part of what is copied
copybutton_prompt_text = r">>> |\.\.\. |\$ |In \[\d*\]: | {2,5}\.\.\.: "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = f"xvcluster {release}"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = True
html_theme_options = {
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "text": "xvcluster",
        "alt_text": "xvcluster",
    },
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc", "edit-this-page", "sourcelink"],
    "footer_end": [],
}
html_sidebars = {"index": [], "installation": [], "citation": []}

# links to edit a page lead to the repository that builds the site
if "GITHUB_REPOSITORY" in os.environ:
    owner, _, repository = os.environ["GITHUB_REPOSITORY"].partition("/")
    html_context = {
        "github_user": owner,
        "github_repo": repository,
        "github_version": os.environ.get("GITHUB_REF_NAME", "main"),
        "doc_path": "docs",
    }
    html_theme_options["use_edit_page_button"] = True


def hide_constructor(_app, what, *_):
    """Omit the signatures of classes: users obtain these objects from functions."""
    return ("", None) if what == "class" else None


def draw_example(_app, what, name, _object, _options, lines):
    """Run the example of a figure, show what it draws, and where else it is drawn."""
    if what != "function" or not name.startswith("xvcluster.plot.") or "Examples" not in lines:
        return
    start = lines.index("Examples") + 2
    lines[start:] = [".. plot::", "", *(f"   {line}" for line in lines[start:]), ""]
    lines += [f".. minigallery:: {name}", "   :add-heading: In the gallery", ""]


def offer_notebook(_app, docname, source):
    """End each page that is executed by a link to its notebook."""
    if re.search(r"^```\{code-cell\}", source[0], re.MULTILINE):
        name = docname.rpartition("/")[2]
        source[0] += f"\n\nDownload this page: {{nb-download}}`{name}.ipynb`\n"


def show_shell(_app, doctree):
    """Show cells of shell commands without the magic of IPython, so that they can be pasted."""
    for block in doctree.findall(literal_block):
        said = re.sub(r"^(%%bash\n+|!)", "", block.astext())
        if said != block.astext():
            block.children = [Text(said)]
            block.rawsource, block["language"] = said, "bash"


def leave_source_to_functions(_app, doctree):
    """Keep viewcode from methods of the accessor: their functions would be links to xarray."""
    for signature in doctree.findall(desc_signature):
        if signature.get("module") == "xarray":
            del signature["module"]


def setup(app):
    app.connect("autodoc-process-signature", hide_constructor)
    app.connect("autodoc-process-docstring", draw_example, priority=400)  # before napoleon
    app.connect("source-read", offer_notebook)
    app.connect("doctree-read", show_shell)
    app.connect("doctree-read", leave_source_to_functions, priority=400)  # before viewcode
