"""In a notebook, each figure that ends a cell is shown exactly once."""

import pytest

SETUP = """
%matplotlib inline
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
import xvcluster

plt.rcParams["figure.dpi"] = 30
values = np.random.default_rng(0).normal(size=(3, 6, 7)).cumsum(axis=0)
coords = {"depth": [0.0, 10, 20], "lat": np.arange(40.0, 46), "lon": np.arange(5.0, 12)}
vs = xr.DataArray(values, coords, name="vs")
tree = vs.vcluster.ward(3)
result, labels = tree, tree.labels
sweep = vs.vcluster.sweep(range(2, 5))
nodes = vs.vcluster.som((2, 2), random_state=0)
agreed = xvcluster.consensus([labels, labels])
months = xr.concat([labels, labels], xr.DataArray([1, 2], dims="month", name="month"))
found = result.compare(labels, n=19)
"""
LAST_LINES = [
    "labels.vcluster.plot.map()",
    "months.vcluster.plot.map(col='month')",
    "result.plot.map(certainty='margin')",
    "result.plot.profiles()",
    "result.plot.summary(title='Provinces')",
    "result.plot.tree()",
    "result.plot.maps(ks=[2, 3])",
    "nodes.plot.som()",
    "sweep.plot.criteria()",
    "sweep.plot.maps(original=True)",
    "xvcluster.plot.votes(agreed)",
    "found.plot.agreement()",
    "panels = result.plot.profiles()\npanels.axes[0].set_title('mine')\npanels",
]


def test_each_figure_at_the_end_of_a_cell_is_one_image(tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="nbclient runs the notebook")
    nbformat = pytest.importorskip("nbformat", reason="nbformat writes the notebook")
    pytest.importorskip("ipykernel", reason="ipykernel is the notebook's kernel")
    cells = [nbformat.v4.new_code_cell(source) for source in (SETUP, *LAST_LINES)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=120, resources=resources).execute()
    for cell in notebook.cells[1:]:
        images = [out for out in cell.outputs if "image/png" in out.get("data", {})]
        assert len(images) == 1, cell.source
