"""Centroids as CSV: the lines of pandas that the documentation shows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "velocity_models.md"


def test_the_lines_of_the_documentation_write_centroids(two_variables, tmp_path, monkeypatch):
    if not PAGE.is_file():
        pytest.skip("the documentation is not there")
    monkeypatch.chdir(tmp_path)
    result = two_variables.vcluster.kmeans(3, n_init=1)
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if ".to_csv(" in line]
    assert len(lines) == 2
    for line in lines:
        exec(line, {"result": result})
    profiles = pd.read_csv("centroids.csv", index_col="depth")
    assert profiles.columns.tolist() == ["1", "2", "3"]
    np.testing.assert_allclose(profiles.T, result.centroids["vs"])
    table = pd.read_csv("clusters.csv", index_col=["cluster", "depth"])
    for name in ("vs", "rho", "vs_std", "rho_std"):
        np.testing.assert_allclose(table[name].to_xarray(), result.centroids[name])
    np.testing.assert_allclose(table["area"].to_xarray()[:, 0], result.centroids["area"])
