"""Models for surface waves, read back as the programs that use the format read them."""

from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr

from xvcluster.export.earth import ak135

DECLARED = {"vp_vs": 1.75, "density": 3.0}


@dataclass
class Read:
    """A file as the Fortran routine that reads it sees it."""

    title: str
    free: list[str]
    layers: np.ndarray  # (n, 10): H, VP, VS, RHO, QP, QS, ETAP, ETAS, FREFP, FREFS
    is_spherical: bool


def read(path):
    """Read a file by the rules of the format: twelve lines, of 80 characters, then numbers."""
    lines = [line[:80] for line in path.read_text(encoding="ascii").split("\n")]
    assert lines[0][:5].upper() == "MODEL"
    for line, start in zip(lines[2:7], ("ISO", "KGS", ("FLA", "SPH"), "1-D", "CON"), strict=True):
        assert line.upper().startswith(start)
    numbers = [line.split() for line in path.read_text(encoding="ascii").split("\n")[12:] if line]
    layers = np.array(numbers, float)
    assert layers.shape[1] == 10
    assert len(layers) <= 200
    assert layers[-1, 0] == 0  # the half-space
    assert (layers[:-1, 0] > 0).all()
    return Read(lines[1], lines[7:11], layers, lines[4].startswith("SPH"))


def test_layers_have_the_mean_of_the_levels_around_them(of_column, tmp_path):
    result = of_column([0.0, 10.0, 30.0], vs=[3.0, 3.4, 4.0])
    (path,) = result.to_model96(tmp_path / "one.mod", below="constant", **DECLARED)
    found = read(path)
    h, vp, vs, rho, *rest = found.layers.T
    np.testing.assert_allclose(h, [10, 20, 0])
    np.testing.assert_allclose(vs, [3.2, 3.7, 4.0])
    np.testing.assert_allclose(vp, 1.75 * vs, atol=1e-5)
    np.testing.assert_allclose(rho, 3.0)
    np.testing.assert_array_equal(rest, np.repeat([[0, 0, 0, 0, 1, 1]], 3, axis=0).T)
    assert found.is_spherical


def test_what_was_declared_is_in_the_free_lines(of_column, tmp_path):
    result = of_column([5.0, 10.0, 30.0], vs=[3.0, 3.4, 4.0]).rename({1: "Arc"})
    (path,) = result.to_model96(
        tmp_path / "one.mod", below="constant", above="constant", vp_vs=1.75, density=3.0
    )
    found = read(path)
    assert found.title == "Arc (cluster 1 of 1)"
    said = " ".join(found.free)
    for part in (
        "mean of each layer",
        "QP = QS = 0: no attenuation",
        "Vs: vs",
        "Vp: from Vs, Vp/Vs = 1.75",
        "density: 3 g/cm3",
        "above 5 km: constant, as at the first level",
        "below 30 km: constant, as at the last level",
    ):
        assert part in said
    np.testing.assert_allclose(found.layers[0, :3], [5.0, 1.75 * 3.0, 3.0])


def test_ak135_goes_on_to_660_km(of_column, tmp_path):
    result = of_column([0.0, 10.0, 100.0], vs=[3.0, 3.4, 4.0])
    (path,) = result.to_model96(tmp_path / "one.mod", below="ak135", **DECLARED)
    h, vp, vs, rho = read(path).layers.T[:4]
    assert h.sum() == pytest.approx(660.0)
    standard, top = ak135(), np.cumsum(h) - h
    middle = standard.at(top[2:-1] + h[2:-1] / 2)  # linear within a layer: the mean is the middle
    for own, expected in ((vp, middle.vp), (vs, middle.vs), (rho, middle.density)):
        np.testing.assert_allclose(own[2:-1], expected, atol=1e-5)
    lower = standard[standard.depth == 660.0][1:]
    np.testing.assert_allclose(
        [vp[-1], vs[-1], rho[-1]], np.ravel([lower.vp, lower.vs, lower.density])
    )


def test_below_660_km_the_half_space_is_ak135_at_once(of_column, tmp_path):
    result = of_column([0.0, 100.0, 800.0], vs=[3.0, 4.4, 6.2])
    (path,) = result.to_model96(tmp_path / "one.model96", below="ak135", **DECLARED)
    h, _, vs, _ = read(path).layers.T[:4]
    np.testing.assert_allclose(h, [100.0, 700.0, 0.0])
    np.testing.assert_allclose(vs[-1], np.interp(800.0, ak135().depth, ak135().vs), atol=1e-5)


def test_a_wave_takes_as_long_through_the_layers_as_through_the_model(shared_data, tmp_path):
    with xr.open_dataset(shared_data / "emc_pnw10-s.nc") as dataset:
        data = dataset["vs"].load().vcluster.prepare(stride=4)
    result = data.vcluster.kmeans(3, n_init=1)
    declared = {"vp_vs": "ak135", "density": "ak135", "below": "ak135"}
    paths = result.to_model96(tmp_path / "pnw_{cluster}.d", **declared)
    depth = result.centroids["depth"].values.astype(float)
    for number, path in enumerate(paths, start=1):
        vs = result.centroids["vs"].sel(cluster=number).values
        fine = np.linspace(0, depth[-1], 200_001)
        expected = np.trapezoid(1 / np.interp(fine, depth, vs), fine)
        h, _, speed, _ = read(path).layers.T[:4]
        own = np.cumsum(h) <= depth[-1] + 1e-6
        assert (h[own] / speed[own]).sum() == pytest.approx(expected, rel=2e-3)


def test_more_layers_than_the_programs_hold_are_refused(of_column, tmp_path):
    depth = np.linspace(0.0, 100.0, 201)
    result = of_column(depth, vs=np.linspace(3.0, 4.5, 201))
    with pytest.raises(ValueError, match=r"200 layers and a half-space, .* hold 200 in all"):
        result.to_model96(tmp_path / "one.mod", below="constant", **DECLARED)
    with pytest.raises(ValueError, match=r"must end in \.mod or \.model96 or \.d; got"):
        result.to_model96(tmp_path / "one.nd", below="constant", **DECLARED)
    assert not list(tmp_path.iterdir())
