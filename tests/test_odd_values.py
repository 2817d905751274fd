"""Every option of every public function, given odd values: a result, or a sentence that names it.

Nothing may end in an error of another kind, take long, or need more memory than there is.
"""

import inspect
import itertools
import warnings

import numpy as np
import pytest
import xarray as xr

import xvcluster

ODD = {
    "True": lambda: True,
    "6.0": lambda: 6.0,
    "numpy integer": lambda: np.int64(3),
    "text": lambda: "6",
    "no text": lambda: "",
    "bytes": lambda: b"6",
    "NaN": lambda: np.nan,
    "infinity": lambda: np.inf,
    "-1": lambda: -1,
    "0": lambda: 0,
    "a billion": lambda: 10**9,
    "5000 digits": lambda: 10**5000,
    "tiny": lambda: 1e-300,
    "huge": lambda: 1e300,
    "complex": lambda: 1j,
    "no list": list,
    "pair": lambda: (2, 3),
    "large pair": lambda: (100_000, 100_000),
    "mixed": lambda: [1, "a", np.nan],
    "range": lambda: range(2, 10**6),
    "endless": lambda: itertools.count(2),
    "mapping": dict,
    "slice": lambda: slice(0, 1),
    "array": lambda: np.array([2, 3]),
    "DataArray": lambda: xr.DataArray([1.0, 2.0], dims="x"),
    "generator": lambda: np.random.default_rng(0),
    "object": object,
}
# what a message calls an option, where not by its name in the signature
CALLED = {"reference": "labels", "clusters": "cluster", "k": "k", "criteria": "criteri"}


@pytest.fixture(scope="module")
def things():
    """A small model, a result of it and a sweep."""
    values = np.random.default_rng(0).normal(size=(2, 3, 4))
    model = xr.DataArray(
        values,
        dims=("depth", "latitude", "longitude"),
        coords={"depth": [0.0, 10.0], "latitude": [0.0, 1.0, 2.0], "longitude": np.arange(4.0)},
        name="vs",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "model": model,
            "result": model.vcluster.kmeans(2),
            "sweep": model.vcluster.sweep([2, 3]),
        }


CALLS = {
    "kmeans": lambda t: (xvcluster.kmeans, [t["model"]], {"n_init": 1}),
    "som": lambda t: (xvcluster.som, [t["model"]], {"grid_size": (2, 2), "n_iterations": 9}),
    "gmm": lambda t: (xvcluster.gmm, [t["model"]], {}),
    "sweep": lambda t: (
        xvcluster.sweep,
        [t["model"]],
        {"k": [2, 3], "criteria": ["stability"], "n_bootstrap": 2, "n_init": 1},
    ),
    "predict": lambda t: (t["result"].predict, [t["model"]], {}),
    "match": lambda t: (t["result"].match, [], {}),
    "stability": lambda t: (t["result"].stability, [], {"n": 2}),
    "select": lambda t: (t["result"].select, [], {}),
    "to_netcdf": lambda t: (t["result"].to_netcdf, [], {}),
    "to_zarr": lambda t: (t["result"].to_zarr, [], {}),
    "result": lambda t: (t["sweep"].result, [], {}),
    "boundaries": lambda t: (t["result"].boundaries, [], {}),
    "consensus": lambda t: (xvcluster.consensus, [[t["result"]]], {}),
    "open_result": lambda t: (xvcluster.open_result, [], {}),
    "tomography": lambda t: (xvcluster.tutorial.tomography, [], {}),
}
# given so that the work is small, unless they are what is tried; more than one k is tried too
ONE_K = {"kmeans": "n_clusters", "gmm": "n_clusters"}
FILES = {"checkpoint", "path"}


SOURCES = {
    xvcluster: "kmeans som gmm sweep consensus open_result",
    xvcluster.ClusterResult: "predict match stability select to_netcdf to_zarr boundaries",
    xvcluster.SweepResult: "result",
    xvcluster.tutorial: "tomography",
}
OPTIONS = [
    pytest.param(name, option, id=f"{name}-{option}")
    for source, names in SOURCES.items()
    for name in names.split()
    for option in inspect.signature(getattr(source, name)).parameters
    if option not in {"self", "data", "results"}
]


def said_of(function, args, options):
    """The sentence by which options are refused; None if there is a result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            function(*args, **options)
        except (ValueError, TypeError) as error:
            return str(error)
    return None


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_options_are_used_or_refused_in_a_sentence(things, name, option, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function, args, usual = CALLS[name](things)
    if name in ONE_K and option not in {"n_clusters", "k_range"}:
        usual = usual | {ONE_K[name]: 2}
    for odd, make in ODD.items():
        value = make()
        if option in FILES and isinstance(value, str):
            continue  # names of files
        said = said_of(function, args, usual | {option: value})
        if said is not None:
            assert CALLED.get(option, option) in said, f"{odd}: {said}"
            assert len(said) < 500, f"{odd}: {said}"
            assert "\n" not in said, odd
