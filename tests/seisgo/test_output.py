import pickle

import numpy as np
import pandas as pd
import pytest

from xvcluster.algorithms.metrics import import_tslearn_kmeans
from xvcluster.seisgo import vpcluster_kmean, vpcluster_som

QUIET = {"plot": False, "evaluate_plot": False, "save": False}


def test_files_have_the_names_of_seisgo(made, tmp_path, close):
    base = str(tmp_path / "run")
    outcome = vpcluster_kmean(*made, 3, figbase=base)
    vpcluster_som(*made, (2, 3), niteration=200, random_state=0, figbase=base)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "run_clustermap_k2x3.png",
        "run_clustermap_k3.png",
        "run_clusters_k2x3.png",
        "run_clusters_k2x3_results.pk",
        "run_clusters_k3.png",
        "run_clusters_k3_results.pk",
    ]
    assert close() == []
    written = pickle.loads((tmp_path / "run_clusters_k3_results.pk").read_bytes())
    assert list(written) == list(outcome)
    pd.testing.assert_frame_equal(written["cluster_map"], outcome["cluster_map"])
    assert isinstance(written["model"], import_tslearn_kmeans())


def test_pickled_som_has_its_winners(made, tmp_path, loop_profiles):
    base = tmp_path / "a"
    vpcluster_som(*made, (2, 3), niteration=200, random_state=0, plot=False, figbase=base)
    written = pickle.loads((tmp_path / "a_clusters_k2x3_results.pk").read_bytes())
    winner = written["model"].winner(loop_profiles(*made)[0][0])
    assert np.ravel_multi_index(winner, (2, 3)) + 1 == written["cluster_map"]["cluster"][0]


def test_nothing_is_written_where_nothing_is_asked_for(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert vpcluster_kmean(*made, 3, **QUIET)["para"]["n_clusters"] == 3
    vpcluster_som(*made, (2, 2), niteration=100, plot=False, save=False)
    assert list(tmp_path.iterdir()) == []


def test_the_distortion_is_saved_beside_the_other_figures(made, tmp_path, close):
    base = tmp_path / "a"
    vpcluster_kmean(*made, nrange=range(2, 9), spacing=3, figbase=base, plot=False, save=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a_elbow.png"]
    assert close() == []


def test_figures_stay_open_without_savefig(made, tmp_path, close, monkeypatch):
    monkeypatch.chdir(tmp_path)
    vpcluster_kmean(*made, 3, savefig=False, save=False, figsize=(5, 4))
    assert len(close()) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_refused_before_the_fit(made, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder .*absent.* does not exist; create"):
        vpcluster_kmean(*made, 3, figbase=tmp_path / "absent" / "run")
