"""Results of one column of the Earth, and reading back what is written of them."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xvcluster


@pytest.fixture(scope="session")
def of_column():
    """A result whose only cluster has the given profiles by depth as its centroid."""

    def cluster(depth, attrs=None, **profiles):
        attrs = {"units": "km", "positive": "down"} if attrs is None else attrs
        units = {"vp": "km/s", "vs": "km/s", "rho": "g/cm3", "dvs": "%", "dvp": "%"}
        coords = {
            "depth": ("depth", np.asarray(depth, float), attrs),
            "latitude": [40.0, 41.0],
            "longitude": [10.0, 11.0, 12.0],
        }
        column = xr.Dataset(
            {
                name: ("depth", np.asarray(values, float), {"units": units.get(name, "")})
                for name, values in profiles.items()
            },
            {"depth": coords.pop("depth")},
        )
        data = column.expand_dims({n: np.array(v) for n, v in coords.items()}, axis=(1, 2)).copy()
        return xvcluster.kmeans(data, 1, n_init=1)

    return cluster


@pytest.fixture(scope="session")
def iasp91():
    """The table of ObsPy (depth, vp, vs, density)."""
    taup = pytest.importorskip("obspy.taup")
    return np.loadtxt(Path(taup.__file__).parent / "data" / "iasp91.tvel", skiprows=2)


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """Build a file by ObsPy, as a user does, into a model that finds travel times."""
    taup = pytest.importorskip("obspy.taup")
    from obspy.taup.taup_create import build_taup_model

    def make(path):
        folder = tmp_path_factory.mktemp("built")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its arithmetic
            build_taup_model(str(path), output_folder=str(folder), verbose=False)
        return taup.TauPyModel(str(folder / f"{path.stem}.npz"))

    return make
