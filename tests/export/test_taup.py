"""Models for TauP: built by ObsPy, with the travel times of what they were made from."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster.export.earth import ak135

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:no Moho is among the levels"),
]

RAYS = [(5, 0.0), (12, 33.0), (30, 100.0), (65, 10.0), (95, 400.0), (150, 600.0)]
PHASES = ["P", "S", "Pn", "PcP", "ScS", "PKIKP", "PKP", "SKS", "pP", "sS", "PP"]


def rows_of(path):
    """The numbers of a file, and the words among them by the row that follows."""
    rows, words = [], {}
    for line in Path(path).read_text(encoding="ascii").splitlines():
        if line.strip()[:1].isalpha():
            words[len(rows)] = line
        elif not line.startswith("#"):
            rows.append([float(x) for x in line.split()])
    return np.array(rows), words


@pytest.mark.parametrize("ending", ["nd", "tvel"])
def test_iasp91_has_its_travel_times_after_an_export(of_column, iasp91, build, tmp_path, ending):
    taup = pytest.importorskip("obspy.taup")
    depth, vp, vs, rho = iasp91.T
    result = of_column(depth, vp=vp, vs=vs, rho=rho)
    (path,) = result.to_nd(tmp_path / f"again.{ending}")
    own, theirs = build(path), taup.TauPyModel("iasp91")
    n_compared = 0
    for distance, source in RAYS:
        times = [
            [(a.name, a.time) for a in m.get_travel_times(source, distance, PHASES)]
            for m in (own, theirs)
        ]
        assert [name for name, _ in times[0]] == [name for name, _ in times[1]]
        np.testing.assert_allclose(*([t for _, t in each] for each in times), rtol=0, atol=0.01)
        n_compared += len(times[0])
    assert n_compared > 40
    for name in ("moho_depth", "cmb_depth", "iocb_depth"):
        assert getattr(own.model, name) == getattr(theirs.model, name)


def test_the_part_of_iasp91_in_the_mantle_goes_on_in_ak135(of_column, iasp91, build, tmp_path):
    part = iasp91[(iasp91[:, 0] >= 100) & (iasp91[:, 0] <= 700)]
    depth, vp, vs, rho = part.T
    result = of_column(depth, vp=vp, vs=vs, rho=rho)
    (path,) = result.to_nd(tmp_path / "part.nd", above="ak135", below="ak135")
    rows, words = rows_of(path)
    standard = ak135()
    table = np.stack([standard.depth, standard.vp, standard.vs, standard.density], axis=1)
    ends = [[np.interp(d, standard.depth, column) for column in table.T] for d in depth[[0, -1]]]
    above, below = table[table[:, 0] < depth[0]], table[table[:, 0] > depth[-1]]
    np.testing.assert_allclose(rows, np.vstack([above, ends[0], part, ends[1], below]), atol=2e-6)
    assert {name: rows[place, 0] for place, name in words.items()} == {
        "mantle": 35.0,
        "outer-core": 2891.5,
        "inner-core": 5153.5,
    }
    model = build(path)
    assert model.model.moho_depth == 35.0
    assert model.get_travel_times(10, 60, ["P"])


def test_models_of_absolute_velocities_on_a_real_file_are_built(shared_data, build, tmp_path):
    with xr.open_dataset(shared_data / "emc_pnw10-s.nc") as dataset:
        vs = dataset["vs"].load().vcluster.prepare(stride=4)
    result = vs.vcluster.kmeans(3, n_init=1).rename({2: "Côte 海"})
    paths = result.to_nd(
        tmp_path / "pnw_{cluster}.nd", vp_vs="ak135", density="ak135", below="ak135"
    )
    assert [path.name for path in paths] == ["pnw_1.nd", "pnw_2.nd", "pnw_3.nd"]
    head = [line for line in paths[1].read_text().splitlines() if line.startswith("#")]
    assert head[0] == "# Cote ? (cluster 2 of 3)"
    assert head[2:] == [
        "# Vs: vs",
        "# Vp: from Vs, Vp/Vs of ak135 (Kennett et al. 1995)",
        "# density: ak135 (Kennett et al. 1995)",
        "# below 100 km: ak135 (Kennett et al. 1995)",
        "# no Moho in the levels: TauP finds none, and no Pn, Pg or PmP",
        "# constant to 1 m of depth, as TauP needs where velocities decrease",
        "# depth (km), Vp (km/s), Vs (km/s), density (g/cm3)",
    ]
    times = []
    for number, path in ((1, paths[0]), (3, paths[2])):
        rows = rows_of(path)[0]
        own = rows[rows[:, 0] != 0.001][: vs.sizes["depth"]]
        np.testing.assert_allclose(own[:, 2], result.centroids["vs"].sel(cluster=number), atol=1e-6)
        times.append(build(path).get_travel_times(0, 40, ["S"])[0].time)
    assert times[0] > times[1]  # slow and fast


@pytest.mark.parametrize(
    ("depth", "vs", "moho", "said"),
    [
        ([0.0, 40, 80, 100], [3.0, 3.6, 4.2, 4.4], 0.0, "TauP finds none, and no Pn, Pg or PmP"),
        ([0.0, 40, 60], [3.0, 3.6, 4.2], 60.0, "TauP takes 60 km, where ak135 begins or ends"),
        ([0.0, 38, 38, 60], [3.0, 3.6, 4.2, 4.3], 38.0, None),
        ([0.0, 20, 30], [3.0, 3.4, 3.8], 35.0, None),
    ],
    ids=["smooth", "shallow", "own", "of ak135"],
)
@pytest.mark.parametrize("ending", ["nd", "tvel"])
def test_a_moho_that_taup_does_not_find_is_told(
    of_column, build, tmp_path, depth, vs, moho, said, ending
):
    result = of_column(depth, vs=vs)
    declared = {"vp_vs": 1.8, "density": 3.0, "below": "ak135"}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        (path,) = result.to_nd(tmp_path / f"one.{ending}", **declared)
    told = [str(each.message) for each in told if "no Moho" in str(each.message)]
    head = path.read_text(encoding="ascii")
    assert build(path).model.moho_depth == moho
    assert len(told) == (said is not None)
    assert ("no Moho in the levels" in head) == (said is not None)
    assert said is None or (said in told[0] and said in head)


def test_a_velocity_that_decreases_from_the_surface_is_built(of_column, build, tmp_path):
    depth, vs = [0.0, 5.0, 10.0, 80.0], [3.5, 3.0, 3.8, 4.5]
    result = of_column(depth, vs=vs)
    declared = {"vp_vs": 1.8, "density": 3.0, "below": "ak135"}
    (path,) = result.to_nd(tmp_path / "slow.nd", **declared)
    rows = rows_of(path)[0]
    np.testing.assert_allclose(rows[:5, 0], [0.0, 0.001, 5.0, 10.0, 80.0])
    np.testing.assert_allclose(rows[:5, 2], [3.5, *vs])
    assert build(path).get_travel_times(0, 50, ["S"])


def test_models_of_perturbations_on_a_real_file_are_built(shared_data, build, tmp_path):
    with xr.open_dataset(shared_data / "emc_wus-sh-2010.nc") as dataset:
        data = dataset[["dvp", "dvs"]].load().vcluster.prepare(stride=6)
    result = data.vcluster.kmeans(2, n_init=1)
    declared = dict.fromkeys(("reference", "density", "above", "below"), "ak135")
    paths = result.to_nd(tmp_path / "wus_{cluster}.tvel", **declared)
    first, second = paths[0].read_text().splitlines()[:2]
    assert first.startswith("Cluster 1 (cluster 1 of 2) - P; ")
    assert second.startswith("Cluster 1 (cluster 1 of 2) - S; ")
    for said in ("dvs, in % of ak135", "above 60 km: ak135", "below 885 km: ak135"):
        assert said in first
    slow, fast = (build(path).get_travel_times(0, 25, ["P"])[0].time for path in paths)
    assert slow > fast


def test_to_nd_writes_one_of_several_clusters(tmp_path):
    vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=8)
    result = vs.vcluster.kmeans(2, n_init=1)
    (path,) = result.to_nd(
        tmp_path / "two.tvel", clusters=2, vp_vs=1.75, density=3.3, below="ak135"
    )
    rows = np.loadtxt(path, skiprows=2)
    own = rows[: vs.sizes["depth"]]
    np.testing.assert_allclose(own[:, 1], 1.75 * own[:, 2], atol=2e-6)
    assert set(own[:, 3]) == {3.3}
