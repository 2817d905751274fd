"""The drop-in against straightforward loops over grid points, with tslearn, MiniSom and kneed."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from kneed import KneeLocator
from minisom import MiniSom

from xvcluster import tutorial
from xvcluster.algorithms.metrics import import_tslearn_kmeans
from xvcluster.seisgo import vpcluster_evaluate_kmean, vpcluster_kmean, vpcluster_som
from xvcluster.seisgo.som import find_winners

QUIET = {"plot": False, "evaluate_plot": False, "save": False}


# --- what SeisGo does, point by point ---


def loop_profiles(lat, lon, depth, model, spacing=1, zrange=None, dz=None):
    low, high = (depth.min(), depth.max()) if zrange is None else zrange
    taken = (depth >= low) & (depth <= high)
    depth = depth[taken]
    even = depth if dz is None else np.arange(depth.min(), depth.max() + 0.5 * dz, dz)
    profiles, places = [], []
    for i in range(0, len(lat), spacing):
        for j in range(0, len(lon), spacing):
            profile = model[taken, i, j].astype(float)
            if np.isnan(profile).any():
                continue
            profiles.append(profile if dz is None else np.interp(even, depth, profile))
            places.append((lat[i], lon[j]))
    return np.array(profiles), even, places


def loop_fit(profiles, k, metric="euclidean"):
    kmeans = import_tslearn_kmeans()
    model = kmeans(n_clusters=k, n_jobs=1, metric=metric, max_iter_barycenter=100, random_state=0)
    return model, model.fit_predict(profiles[:, :, None])


def loop_kmean(axes, k, metric="euclidean", **extraction):
    profiles, depth, places = loop_profiles(*axes, **extraction)
    model, labels = loop_fit(profiles, k, metric)
    table = pd.DataFrame(
        [[*place, label + 1] for place, label in zip(places, labels, strict=True)],
        columns=["lat", "lon", "cluster"],
    )
    members = [np.array([profiles[labels == c].T]) for c in range(k)]
    return {"depth": depth, "cluster_map": table, "pred": members, "model": model}


def loop_som(axes, shape, seed, n, spacing=1):
    profiles, depth, places = loop_profiles(*axes, spacing=spacing)
    model = MiniSom(*shape, len(depth), sigma=0.3, learning_rate=0.1, random_seed=seed)
    model.random_weights_init(profiles)
    model.train(profiles, n)
    winners = [tuple(map(int, model.winner(profile))) for profile in profiles]
    table = pd.DataFrame(
        [[*p, x * shape[1] + y + 1] for p, (x, y) in zip(places, winners, strict=True)],
        columns=["lat", "lon", "cluster"],
    )
    nodes = [(x, y) for x in range(shape[0]) for y in range(shape[1]) if (x, y) in winners]
    members = [[p for p, w in zip(profiles, winners, strict=True) if w == n] for n in nodes]
    return {"depth": depth, "cluster_map": table, "pred": members, "model": model}


def assert_same(outcome, expected):
    pd.testing.assert_frame_equal(outcome["cluster_map"], expected["cluster_map"])
    np.testing.assert_array_equal(outcome["depth"], expected["depth"])
    assert outcome["depth"].dtype == expected["depth"].dtype
    assert len(outcome["pred"]) == len(expected["pred"])
    for own, other in zip(outcome["pred"], expected["pred"], strict=True):
        np.testing.assert_array_equal(own, other)


# --- models ---


def axes_of(vs):
    return vs["latitude"].values, vs["longitude"].values, vs["depth"].values, vs.values


@pytest.fixture(scope="module")
def made():
    """The tutorial's model at 1 degree, with some profiles that have gaps."""
    vs = tutorial.tomography(resolution=1.0)["vs"].copy()
    vs[:, 0, 0] = np.nan
    vs[3, 4, 5] = np.nan
    vs[-1, 7, 2] = np.nan
    return axes_of(vs)


@pytest.fixture
def cascadia(shared_data):
    with xr.open_dataset(shared_data / "emc_pnw10-s.nc") as dataset:
        return axes_of(dataset["vs"].load())


@pytest.fixture(params=["made", "cascadia"])
def axes(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def close():
    """Close all figures after the test, and give the numbers of those open."""
    import matplotlib.pyplot as plt

    plt.close("all")
    yield plt.get_fignums
    plt.close("all")


# --- k-means, value for value ---


@pytest.mark.parametrize(
    "extraction",
    [
        {},
        {"dz": 2.0},
        {"zrange": (5, 60)},
        {"spacing": 3},
        {"dz": 3.5, "zrange": [4.0, 61.0], "spacing": 2},
    ],
    ids=str,
)
def test_vpcluster_kmean_equals_the_loop(axes, extraction):
    outcome = vpcluster_kmean(*axes, 5, **extraction, **QUIET)
    expected = loop_kmean(axes, 5, **extraction)
    assert_same(outcome, expected)
    np.testing.assert_array_equal(
        outcome["model"].cluster_centers_, expected["model"].cluster_centers_
    )
    assert outcome["para"]["sum_square"] == []


def test_vpcluster_kmean_under_warping_equals_the_loop(cascadia):
    cut = {"spacing": 16, "dz": 10.0, "zrange": (0, 50)}
    outcome = vpcluster_kmean(*cascadia, 3, metric="dtw", **cut, **QUIET)
    assert_same(outcome, loop_kmean(cascadia, 3, "dtw", **cut))


@pytest.mark.parametrize("smooth", [False, True])
def test_vpcluster_kmean_chooses_the_first_knee(axes, smooth):
    ks = np.arange(2, 9)
    options = {"nrange": ks, "spacing": 3, "evaluate_smooth": smooth}
    outcome = vpcluster_kmean(*axes, **options, **QUIET)
    profiles = loop_profiles(*axes, spacing=3)[0]
    curve = np.array([loop_fit(profiles, k)[0].inertia_ for k in ks])
    if smooth:
        curve[1:-1] = np.convolve(curve, np.ones(3) / 3, mode="same")[1:-1]
    knee = KneeLocator(ks, curve, S=1, curve="convex", direction="decreasing").all_knees[0]
    np.testing.assert_array_equal(outcome["para"]["sum_square"], curve)
    assert outcome["para"]["n_clusters"] == knee
    assert outcome["para"]["nrange"] is ks
    assert_same(outcome, loop_kmean(axes, knee, spacing=3))


def test_vpcluster_kmean_tries_2_to_20_by_itself(made):
    outcome = vpcluster_kmean(*made, spacing=3, **QUIET)
    assert outcome["para"]["nrange"].tolist() == list(range(2, 21))
    assert len(outcome["para"]["sum_square"]) == 19


def test_vpcluster_kmean_has_the_dictionary_of_seisgo(made):
    given = {"source": "made", "tag": "vs"}
    outcome = vpcluster_kmean(*made, 3, **given, **QUIET)
    keys = "method source tag depth model pred para cluster_map"
    assert list(outcome) == keys.split()
    assert (outcome["method"], outcome["source"], outcome["tag"]) == ("k-means", "made", "vs")
    assert isinstance(outcome["model"], import_tslearn_kmeans())
    assert outcome["para"] == {
        "n_clusters": 3,
        "n_jobs": 1,
        "metric": "euclidean",
        "max_iter_barycenter": 100,
        "random_state": 0,
        "nrange": None,
        "sum_square": [],
    }


def test_vpcluster_kmean_never_changes_the_model(made):
    model = np.ma.masked_greater(made[3], 4.4)
    before = model.copy()
    vpcluster_kmean(*made[:3], model, 3, zrange=(0, 20), **QUIET)
    np.testing.assert_array_equal(model.data, before.data)
    np.testing.assert_array_equal(model.mask, before.mask)


# --- SOM, value for value ---


@pytest.mark.parametrize("shape", [(3, 4), (4, 2)])
def test_vpcluster_som_equals_the_loop(axes, shape):
    outcome = vpcluster_som(
        *axes, shape, spacing=2, niteration=2000, random_state=7, plot=False, save=False
    )
    assert_same(outcome, loop_som(axes, shape, 7, 2000, spacing=2))


def test_vpcluster_som_sizes_its_grid_by_the_profiles(made):
    outcome = vpcluster_som(*made, niteration=500, random_state=1, plot=False, save=False)
    side = int(np.ceil(np.sqrt(np.sqrt(len(loop_profiles(*made)[0])))))
    assert outcome["para"] == {
        "nx": side,
        "ny": side,
        "sigma": 0.3,
        "niteration": 500,
        "learning_rate": 0.1,
    }
    assert outcome["method"] == "som"
    assert isinstance(outcome["model"], MiniSom)
    assert_same(outcome, loop_som(made, (side, side), 1, 500))


def test_vpcluster_som_without_a_seed_differs_between_runs(made):
    runs = [vpcluster_som(*made, (4, 4), niteration=50, plot=False, save=False) for _ in range(2)]
    weights = [run["model"].get_weights() for run in runs]
    assert not np.array_equal(*weights)


@pytest.mark.parametrize("n_depth", [1, 7, 8, 130])
def test_find_winners_rounds_as_minisom(n_depth):
    rng = np.random.default_rng(n_depth)
    model = MiniSom(3, 5, n_depth, random_seed=0)
    # values on a coarse lattice make many distances nearly or exactly equal
    profiles = rng.integers(0, 4, (400, n_depth)) * 0.1
    model.random_weights_init(profiles)
    model.train(profiles, 30)
    winners = [np.ravel_multi_index(model.winner(p), (3, 5)) for p in profiles]
    np.testing.assert_array_equal(find_winners(profiles, model.get_weights()), winners)


# --- missing values ---


@pytest.mark.parametrize("fill", [99999.0, 1e20, -9999.0])
def test_fill_values_never_become_data(made, fill):
    filled = made[3].copy()
    filled[np.isnan(filled)] = fill
    with pytest.warns(UserWarning, match=r"values of 'v' are .*taken as missing"):
        outcome = vpcluster_kmean(*made[:3], filled, 4, **QUIET)
    assert_same(outcome, loop_kmean(made, 4))


def test_masked_and_declared_values_never_become_data(made):
    lat, lon, depth, values = made
    missing = np.isnan(values)
    masked = np.ma.masked_array(np.where(missing, 3.3, values), missing)
    declared = xr.DataArray(np.where(missing, 5.1, values), attrs={"missing_value": 5.1})
    expected = loop_kmean(made, 4)
    for model in (masked, declared):
        assert_same(vpcluster_kmean(lat, lon, depth, model, 4, **QUIET), expected)


def test_som_leaves_fill_values_out(made):
    filled = np.where(np.isnan(made[3]), 99999, made[3])
    options = {"niteration": 300, "random_state": 0, "plot": False, "save": False}
    with pytest.warns(UserWarning, match="taken as missing"):
        outcome = vpcluster_som(*made[:3], filled, (2, 3), **options)
    assert_same(outcome, loop_som(made, (2, 3), 0, 300))


def test_depths_in_descending_order_are_interpolated_alike(made):
    lat, lon, depth, values = made
    up = vpcluster_kmean(lat, lon, depth[::-1], values[::-1], 4, dz=3.0, **QUIET)
    assert_same(up, vpcluster_kmean(*made, 4, dz=3.0, **QUIET))


# --- the choice of k ---


def test_no_knee_warns_and_takes_the_best_silhouette():
    rng = np.random.default_rng(0)
    ts = rng.normal(np.repeat([0.0, 5.0, 10.0], 30)[:, None], 0.3, (90, 6))
    with pytest.warns(UserWarning, match=r"no knee over 3 to 4 clusters; took 3, which has the"):
        best, curve = vpcluster_evaluate_kmean(ts, [3, 4], plot=False)
    assert best == 3
    assert len(curve) == 2


def test_no_knee_of_one_cluster_never_takes_it(made):
    with pytest.warns(UserWarning, match="took 2"):
        outcome = vpcluster_kmean(*made, nrange=[1, 2], metric="dtw", spacing=6, **QUIET)
    assert outcome["para"]["n_clusters"] == 2


def test_a_single_number_leaves_nothing_to_choose():
    ts = np.random.default_rng(0).normal(size=(30, 5, 1))
    assert vpcluster_evaluate_kmean(ts, [4], plot=False)[0] == 4


def test_evaluate_draws_a_figure_that_stays_open(close):
    ts = np.random.default_rng(0).normal(np.repeat([0, 5, 9], 20)[:, None], 1, (60, 4))
    best, curve = vpcluster_evaluate_kmean(ts, range(2, 9))
    assert best == 3
    assert np.all(np.array(curve) > 0)
    _, smoothed = vpcluster_evaluate_kmean(ts, range(2, 9), smooth=True, smooth_n=5)
    assert smoothed[[0, -1]].tolist() == [curve[0], curve[-1]]
    assert len(close()) == 2


# --- files and figures ---


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


def test_pickled_som_has_its_winners(made, tmp_path):
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


def figures_of(call, *args, **options):
    """The panels' and the map's figure of a call, which leaves them open."""
    import matplotlib.pyplot as plt

    outcome = call(*args, savefig=False, save=False, **options)
    return outcome, *(plt.figure(n) for n in plt.get_fignums())


def test_panels_carry_the_numbers_of_the_map_where_nodes_are_empty(close):
    values = np.repeat([1.0, 9.0], 6).reshape(1, 3, 4) + np.linspace(0, 0.1, 12).reshape(3, 4)
    axes = np.arange(40.0, 43), np.arange(-120.0, -116), np.arange(3.0), values.repeat(3, axis=0)
    options = {"niteration": 100, "random_state": 3}
    outcome, panels, _ = figures_of(vpcluster_som, *axes, (3, 4), **options)
    numbers = np.unique(outcome["cluster_map"]["cluster"])
    assert numbers.tolist() != list(range(1, len(numbers) + 1))
    titles = [ax.get_title().split(" · ")[0] for ax in panels.axes if ax.get_visible()]
    assert titles == [f"Cluster {number}" for number in numbers]


def test_panels_have_depth_down_and_the_units_of_the_caller(made, close):
    options = {"units": "km/s", "depth_units": "km", "tag": "vs", "figsize": (6, 5)}
    _, panels, _ = figures_of(vpcluster_kmean, *made, 4, **options)
    bottom, top = panels.axes[0].get_ylim()
    assert bottom > top
    assert panels.get_supxlabel() == "vs (km/s)"
    assert panels.get_supylabel() == "depth (km)"
    assert panels.get_size_inches().tolist() == [6, 5]


def test_panels_that_do_not_fill_their_rows_keep_their_ticks(made, close):
    _, panels, _ = figures_of(vpcluster_kmean, *made, 7)
    assert [ax.get_visible() for ax in panels.axes] == [True] * 7 + [False]
    below = panels.axes[3].xaxis.get_tick_params(which="major")
    assert below["labelbottom"]


def test_panels_have_negative_depths_at_their_bottom(made, close):
    lat, lon, depth, values = made
    _, panels, _ = figures_of(vpcluster_kmean, lat, lon, -depth, values, 2)
    bottom, top = panels.axes[0].get_ylim()
    assert bottom < top


def test_maps_draw_coordinates_that_are_not_geographic(made, close):
    lat, lon, depth, values = made
    _, _, drawn = figures_of(vpcluster_kmean, lat * 100, lon * 100, depth, values, 3)
    assert not hasattr(drawn.axes[0], "projection")


def test_panels_of_many_nodes_are_small(made, close):
    _, panels, _ = figures_of(vpcluster_som, *made, (7, 7), niteration=1000, random_state=0)
    shown = [ax for ax in panels.axes if ax.get_visible()]
    assert len(shown) > 25
    assert shown[0].get_title() == "1"


# --- bad input ---


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"lat": np.arange(3.0)}, ValueError, r"model has shape \(.*depth, lat and lon have"),
        ({"lon": np.ones((2, 2))}, ValueError, r"lon must be 1-D and not empty; got shape \(2, 2"),
        ({"dep": []}, ValueError, r"depth must be 1-D and not empty; got shape \(0,\)"),
        ({"vmodel": np.ones(4)}, ValueError, r"the model has shape \(4,\), but"),
        ({"vmodel": np.array(["a"])}, TypeError, "the model 'v' must be numeric; got dtype <U1"),
        (
            {"zrange": (900, 950)},
            ValueError,
            r"zrange 900 to 950 km contains none .* range from 0 to",
        ),
        ({"zrange": 5}, ValueError, r"zrange must be a pair of depths, such as .*; got 5"),
        ({"spacing": 0}, ValueError, "spacing must be finite and above 0; got 0"),
        ({"dz": -1.0}, ValueError, "dz must be finite and above 0; got -1.0"),
        ({"ncluster": 0}, ValueError, "ncluster must be at least 1; got 0"),
        (
            {"ncluster": 10**6},
            ValueError,
            "ncluster=1000000 exceeds the number of distinct profiles",
        ),
        ({"ncluster": None, "nrange": [4, 2]}, ValueError, r"must be ascending .*; got \[4, 2\]"),
        ({"ncluster": None, "nrange": []}, ValueError, r"nrange must be ascending .*; got \[\]"),
        ({"metric": "cosine"}, ValueError, "unknown metric 'cosine'; choose one of 'euclidean'"),
    ],
)
def test_vpcluster_kmean_refuses_bad_input(made, change, error, message):
    lat, lon, depth, values = made
    given = {"lat": lat, "lon": lon, "dep": depth, "vmodel": values, "ncluster": 3}
    with pytest.raises(error, match=message):
        vpcluster_kmean(**given | {"depth_units": "km"} | QUIET | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid_size": 3}, "grid_size must be a pair of positive integers"),
        ({"niteration": 0}, "niteration must be at least 1; got 0"),
        ({"sigma": 0}, "sigma must be finite and above 0; got 0"),
        ({"rate": -0.1}, "rate must be finite and above 0; got -0.1"),
    ],
)
def test_vpcluster_som_refuses_bad_input(made, change, message):
    with pytest.raises(ValueError, match=message):
        vpcluster_som(*made, plot=False, save=False, **change)


def test_no_complete_profile_is_refused(made):
    lat, lon, depth, values = made
    with pytest.raises(ValueError, match=r"none of the \d+ profiles of 'v' is complete over its"):
        vpcluster_kmean(lat, lon, depth, np.full_like(values, np.nan), 3, **QUIET)


def test_a_box_longer_than_the_curve_is_refused():
    ts = np.random.default_rng(0).normal(size=(30, 5))
    with pytest.raises(ValueError, match=r"smooth_n=9 exceeds the 3 numbers of clusters"):
        vpcluster_evaluate_kmean(ts, [2, 3, 4], smooth=True, smooth_n=9, plot=False)


def test_a_missing_folder_is_refused_before_the_fit(made, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder .*absent.* does not exist; create"):
        vpcluster_kmean(*made, 3, figbase=tmp_path / "absent" / "run")


def test_seisgo_is_reached_from_the_package():
    import xvcluster

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert xvcluster.seisgo.vpcluster_kmean is vpcluster_kmean
