"""What a model needs that the result does not hold: declared, or an error that names the option."""

import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster.export.earth import ak135

DEPTH = [0.0, 20.0, 60.0, 100.0]
pytestmark = pytest.mark.filterwarnings("ignore:no Moho is among the levels")

VS = [3.0, 3.5, 4.2, 4.4]
DECLARED = {"vp_vs": 1.75, "density": 3.0, "below": "ak135"}


def rows_of(path):
    return np.loadtxt(path, skiprows=2)  # of a .tvel file


def test_what_is_missing_is_an_error_that_names_the_option(of_column, tmp_path):
    result = of_column([10.0, *DEPTH[1:]], vs=VS)
    needed = {"vp_vs": 1.75, "density": "ak135", "above": "ak135", "below": "ak135"}
    said = {
        "vp_vs": "has no P velocity: give vp_vs=, a ratio such as 1.73",
        "density": "has no density: give density=, a number in g/cm3",
        "above": "has no level above 10 km: give above=, 'ak135' or 'constant'",
        "below": "has no level below 100 km: give below=, 'ak135'",
    }
    for option, message in said.items():
        some = {name: value for name, value in needed.items() if name != option}
        with pytest.raises(ValueError, match=f"{message}.*$"):
            result.to_nd(tmp_path / "one.nd", **some)
    with pytest.raises(ValueError, match="give below=, 'constant' or 'ak135'"):
        result.to_model96(tmp_path / "one.mod", vp_vs=1.75, density=3.0, above="ak135")
    every = "; ".join(text.removeprefix("has ").split(",")[0] + ".*" for text in said.values())
    with pytest.raises(ValueError, match=every):
        result.to_nd(tmp_path / "one.nd")
    assert not list(tmp_path.iterdir())
    result.to_nd(tmp_path / "one.nd", **needed)


def test_what_is_not_missing_cannot_be_declared(of_column, tmp_path):
    result = of_column(DEPTH, vs=VS, vp=np.multiply(1.8, VS), rho=[2.7, 2.8, 3.3, 3.4])
    for option, value in [
        ("vp_vs", 1.7),
        ("density", 3.0),
        ("above", "constant"),
        ("reference", "ak135"),
    ]:
        with pytest.raises(ValueError, match=f"{option}={value!r} has no effect, as the result"):
            result.to_nd(tmp_path / "one.nd", below="ak135", **{option: value})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"vp_vs": 1.15}, ValueError, r"vp_vs must be finite and above 1\.1547; got 1\.15"),
        ({"vp_vs": "brocher"}, ValueError, "unknown vp_vs 'brocher'; choose one of 'brocher2005'"),
        ({"vp_vs": [1.7]}, TypeError, r"vp_vs must be a number above 1\.1547; got \[1.7\]"),
        ({"density": "prem"}, ValueError, "unknown density 'prem'; choose one of"),
        ({"density": -1}, ValueError, r"density must be .*above 0\.5 and at most 25; got -1"),
        ({"density": 3000}, ValueError, r"density must be .*above 0\.5 and at most 25; got 3000"),
        ({"below": "prem"}, ValueError, "unknown below 'prem'; choose one of 'ak135'"),
        ({"vs": "speed"}, ValueError, "unknown vs 'speed'; choose one of 'vs'"),
        ({"clusters": 7}, ValueError, "there is no cluster 7"),
    ],
)
def test_wrong_options_are_refused(of_column, tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        of_column(DEPTH, vs=VS).to_nd(tmp_path / "one.nd", **DECLARED | options)
    assert not list(tmp_path.iterdir())


def test_relations_are_refused_where_they_do_not_hold(of_column, tmp_path):
    fast = of_column(DEPTH, vs=[3.0, 4.0, 4.6, 4.7])
    message = r"'brocher2005' holds of cluster 1 for Vs of 0 to 4.5 .* 4.6 km/s at 60 km; use vp_vs"
    with pytest.raises(ValueError, match=message):
        fast.to_nd(tmp_path / "one.nd", **DECLARED | {"vp_vs": "brocher2005"})
    with pytest.raises(ValueError, match=r"'gardner1974' holds .* Vp of 1.5 to 6.1 km/s only"):
        fast.to_nd(tmp_path / "one.nd", **DECLARED | {"density": "gardner1974"})
    crust = of_column(DEPTH, vp=[5.0, 6.0, 6.5, 8.2])
    with pytest.raises(ValueError, match=r"for Vp of 1.5 to 8 km/s only, but that is 8.2 km/s"):
        crust.to_nd(tmp_path / "one.nd", **DECLARED | {"vp_vs": "brocher2005"})


def test_relations_are_applied(of_column, tmp_path):
    result = of_column([0.0, 10.0, 20.0], vs=[3.0, 3.4, 3.8])
    declared = {"vp_vs": "brocher2005", "density": "brocher2005", "below": "ak135"}
    (path,) = result.to_nd(tmp_path / "one.tvel", **declared)
    vs = np.array([3.0, 3.4, 3.8])
    vp = 0.9409 + 2.0947 * vs - 0.8206 * vs**2 + 0.2683 * vs**3 - 0.0251 * vs**4
    rho = 1.6612 * vp - 0.4721 * vp**2 + 0.0671 * vp**3 - 0.0043 * vp**4 + 0.000106 * vp**5
    np.testing.assert_allclose(rows_of(path)[:3, 1:], np.stack([vp, vs, rho], 1), atol=1e-6)
    head = path.read_text().splitlines()[0]
    assert "Vp: from Vs, Brocher (2005), eq. 9" in head
    assert "density: from Vp, Brocher (2005), eq. 1" in head
    faster = of_column([0.0, 10.0, 20.0], vp=[5.0, 5.5, 6.0])
    (path,) = faster.to_nd(tmp_path / "two.tvel", **DECLARED | {"density": "gardner1974"})
    rows = rows_of(path)[:3]
    np.testing.assert_allclose(rows[:, 2], rows[:, 1] / 1.75, atol=1e-6)
    np.testing.assert_allclose(rows[:, 3], 1.74 * rows[:, 1] ** 0.25, atol=1e-6)


def test_ratios_of_ak135_are_those_at_each_depth(of_column, tmp_path):
    standard = ak135()
    part = standard[(standard.depth >= 210) & (standard.depth <= 400)]
    depth = part.depth[1:]  # below the discontinuity at 210 km
    result = of_column(depth, vs=part.vs[1:])
    declared = dict.fromkeys(("vp_vs", "density", "above", "below"), "ak135")
    (path,) = result.to_nd(tmp_path / "one.tvel", **declared)
    rows = rows_of(path)
    for row, *expected in zip(depth, part.vp[1:], part.density[1:], strict=True):
        found = rows[rows[:, 0] == row][-1]
        if row > 210:
            np.testing.assert_allclose(found[[1, 3]], expected, atol=2e-6)


@pytest.mark.parametrize("change", [0.0, 2.0, -1.5])
def test_perturbations_keep_the_discontinuities_of_their_reference(of_column, tmp_path, change):
    depth = np.arange(0.0, 800.0, 50.0)
    percent = np.full(depth.size, change)
    result = of_column(depth, dvs=percent, dvp=percent)
    with pytest.raises(ValueError, match="it has dvp, dvs in %: give reference=, the model"):
        result.to_nd(tmp_path / "one.tvel", density="ak135", below="ak135")
    declared = dict.fromkeys(("reference", "density", "below"), "ak135")
    (path,) = result.to_nd(tmp_path / "one.tvel", **declared)
    rows, standard = rows_of(path), ak135()
    rows = rows[rows[:, 0] <= 750][:-1]
    assert [np.count_nonzero(rows[:, 0] == d) for d in (20, 35, 210, 410, 660)] == [2] * 5
    own = standard.at(rows[:, 0])
    for column, expected in ((1, own.vp), (2, own.vs)):
        np.testing.assert_allclose(rows[:, column], expected * (1 + change / 100), atol=2e-6)


def test_perturbations_refer_to_the_model_that_is_given(of_column, tmp_path):
    result = of_column([0.0, 50.0, 100.0], dvs=[1.0, 2.0, -3.0])
    depth = ("depth", [0.0, 60_000.0, 150_000.0], {"units": "m", "positive": "down"})
    speeds = ("depth", [3000.0, 4200.0, 4500.0], {"units": "m/s"})
    reference = xr.Dataset({"vs": speeds}, {"depth": depth})
    (path,) = result.to_nd(tmp_path / "one.tvel", reference=reference, **DECLARED)
    expected = np.interp([0, 50, 60, 100], [0, 60, 150], [3.0, 4.2, 4.5])
    expected *= 1 + np.interp([0, 50, 60, 100], [0, 50, 100], [1.0, 2.0, -3.0]) / 100
    np.testing.assert_allclose(rows_of(path)[:4, 2], expected, atol=2e-6)
    assert "dvs, in % of the reference that was given" in path.read_text()
    with pytest.raises(
        ValueError, match="covers 0 to 60 km of depth, but perturbations lie at 0 to"
    ):
        result.to_nd(tmp_path / "two.nd", reference=reference.isel(depth=[0, 1]), **DECLARED)
    with pytest.raises(
        ValueError, match="the reference has no 'vs' in km/s, to which 'dvs' refers"
    ):
        result.to_nd(tmp_path / "two.nd", reference=reference.rename(vs="beta"), **DECLARED)
    with pytest.raises(TypeError, match="reference must be 'ak135', or a Dataset with vs or vp"):
        result.to_nd(tmp_path / "two.nd", reference=3.0, **DECLARED)


def test_models_are_the_same_whatever_the_file_holds(of_column, tmp_path):
    def rows(name, depth, attrs, vs=VS, units="km/s"):
        data = of_column(depth, attrs, vs=vs)
        data.dataset["vs"].attrs["units"] = units
        (path,) = data.to_nd(tmp_path / f"{name}.tvel", **DECLARED)
        return rows_of(path)

    expected = rows("km", DEPTH, {"units": "km", "positive": "down"})
    up = {"units": "m", "positive": "up"}
    metres = np.multiply(1000, DEPTH)
    for name, own in {
        "m": rows("m", metres, {"units": "m", "positive": "down"}),
        "up": rows("up", np.multiply(-1, metres), up),
        "turned": rows("turned", -metres[::-1], up, VS[::-1]),
        "m/s": rows("speed", DEPTH, {"units": "km (bsl)"}, np.multiply(1000, VS), "m s-1"),
    }.items():
        np.testing.assert_allclose(own, expected, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("depth", [[-4.0, -2.0, 2.0, 40.0], [-4.0, 0.0, 2.0, 40.0]])
def test_levels_above_sea_level_are_left_out_and_that_is_said(of_column, tmp_path, depth):
    result = of_column(depth, vs=VS)
    (path,) = result.to_nd(tmp_path / "one.tvel", **DECLARED)
    rows = rows_of(path)
    np.testing.assert_allclose(rows[:3, 0], [0.0, 2.0, 40.0])
    np.testing.assert_allclose(rows[:3, 2], np.interp([0.0, 2.0, 40.0], depth, VS), atol=2e-6)
    assert "levels above sea level, up to 4 km, are left out" in path.read_text()


def test_a_level_that_is_there_twice_is_a_discontinuity(of_column, tmp_path):
    depth, vs = [0.0, 20.0, 20.0, 60.0], [3.0, 3.2, 3.8, 4.0]
    for name, turn in (("down", 1), ("up", -1)):
        result = of_column(depth[::turn], vs=vs[::turn])
        (path,) = result.to_nd(tmp_path / f"{name}.tvel", **DECLARED)
        np.testing.assert_allclose(rows_of(path)[:4, [0, 2]], np.stack([depth, vs], 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["vs"].attrs.update(units="furlong"), "units 'furlong', but a velocity is in"),
        (lambda d: d["vs"].attrs.pop("units"), "units '', but a velocity is in km/s or m/s"),
        (lambda d: d["depth"].attrs.update(units="hPa"), "'hPa', but a model of the Earth needs"),
        (lambda d: d["depth"].attrs.update(units=""), "units '', but a model of the Earth needs"),
    ],
)
def test_other_units_are_refused(of_column, tmp_path, change, message):
    result = of_column(DEPTH, vs=VS)
    change(result.dataset)
    with pytest.raises(ValueError, match=message):
        result.to_nd(tmp_path / "one.nd", **DECLARED)


def test_other_models_are_refused(of_column, tmp_path):
    path = tmp_path / "one.nd"
    ocean = xvcluster.tutorial.ocean()["temperature"].isel(depth=slice(0, 4)).vcluster.kmeans(2)
    with pytest.raises(ValueError, match="no velocity that is known by its name: temperature"):
        ocean.to_nd(path, 1, **DECLARED)
    with pytest.raises(
        ValueError, match=r"vsv and vsh may both be vs; choose one, e\.g\. vs='vsv'"
    ):
        of_column(DEPTH, vsv=VS, vsh=VS).to_nd(path, **DECLARED)
    radii = of_column([5971.0, 6171.0, 6371.0], {"units": "km", "positive": "up"}, vs=VS[:3])
    with pytest.raises(ValueError, match="if they are radii, turn them into depths"):
        radii.to_nd(path, **DECLARED)
    with pytest.raises(ValueError, match=r"Vs is 0 at 0 km of depth, .* cannot build models with"):
        of_column(DEPTH, vs=[0.0, *VS[1:]], vp=[1.5, 6, 7, 8]).to_nd(
            path, density=3.0, below="ak135"
        )
    with pytest.raises(ValueError, match=r"would have Vp = 3 km/s, Vs = 3.5 .* at 20 km, but"):
        of_column(DEPTH, vs=VS, vp=[6, 3, 7, 8]).to_nd(path, density=3.0, below="ak135")
    with pytest.raises(ValueError, match=r"Vp = 4 km/s, Vs = 3.5 .* but 0 <= Vs < Vp / 1\.155"):
        of_column(DEPTH, vs=VS, vp=[6, 4, 7, 8]).to_nd(path, density=3.0, below="ak135")
    raster = of_column(DEPTH, vs=VS).dataset["vs"].isel(depth=0)
    flat = raster.expand_dims(latitude=[1.0, 2.0], longitude=[1.0, 2.0]).isel(cluster=0, drop=True)
    with pytest.raises(ValueError, match="the result has no levels"):
        flat.vcluster.kmeans(1).to_nd(path, **DECLARED)
    assert not list(tmp_path.iterdir())


def test_several_clusters_need_a_file_each(tmp_path):
    vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=8)
    result = vs.vcluster.kmeans(3, n_init=1).rename({3: "craton"})
    with pytest.raises(ValueError, match=r"3 clusters need a file each; .* 'one_\{cluster\}\.nd'"):
        result.to_nd(tmp_path / "one.nd", **DECLARED)
    with pytest.raises(ValueError, match=r"must end in \.nd or \.tvel; got '.*one\.txt'"):
        result.to_nd(tmp_path / "one.txt", **DECLARED)
    with pytest.raises(FileNotFoundError, match="does not exist; create it"):
        result.to_nd(tmp_path / "no" / "one.nd", **DECLARED)
    paths = result.to_nd(tmp_path / "m{cluster}.nd", ["craton", 1], **DECLARED)
    assert [path.name for path in paths] == ["m3.nd", "m1.nd"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m1.nd", "m3.nd"]


def test_clusters_that_a_match_left_empty_have_no_model(model, tmp_path):
    result = model.vcluster.kmeans(2).match(model.vcluster.kmeans(3))
    (empty,) = (result.dataset["count"] == 0).values.nonzero()[0] + 1
    paths = result.to_nd(tmp_path / "m{cluster}.nd", **DECLARED)
    assert len(paths) == 2
    with pytest.raises(ValueError, match=f"cluster {empty} is empty and has no profile"):
        result.to_nd(tmp_path / "m.nd", int(empty), **DECLARED)


def test_models_change_no_result(of_column, tmp_path):
    result = of_column(DEPTH, vs=VS)
    before = result.dataset.copy(deep=True)
    result.to_nd(tmp_path / "one.nd", **DECLARED)
    xr.testing.assert_identical(result.dataset, before)
