"""Maps of known places: the pixel of each has the colour of its cluster, or of land."""

import cartopy.crs as ccrs
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

import xvcluster
from xvcluster.plot import map as draw_map
from xvcluster.plot import style

LAND = {
    "Sahara": (23, 10),
    "Congo": (-1, 22),
    "Kalahari": (-22, 22),
    "Amazonia": (-6, -59),
    "Argentina": (-32, -63),
    "Kansas": (39, -98),
    "Quebec": (52, -73),
    "Manitoba": (52, -102),
    "Yukon": (64, -138),
    "Greenland": (73, -40),
    "Siberia": (63, 102),
    "Kazakhstan": (49, 69),
    "Tibet": (33, 87),
    "Australia": (-25, 132),
    "East Antarctica": (-81, 81),
    "West Antarctica": (-81, -111),
}
SEA = {
    "North Pacific": (39, -168),
    "central Pacific": (12, -168),
    "eastern Pacific": (-3, -121),
    "South Pacific": (-32, -123),
    "western Pacific": (15, 153),
    "dateline": (-30, 180),
    "Philippine Sea": (18, 132),
    "North Atlantic": (39, -39),
    "Sargasso Sea": (22, -57),
    "tropical Atlantic": (12, -32),
    "South Atlantic": (-28, -12),
    "Southern Ocean": (-54, 3),
    "southern Indian Ocean": (-52, 87),
    "Indian Ocean": (-12, 78),
    "Greenland Sea": (72, -3),
    "Beaufort Sea": (84, -130),
}
PLACES = LAND | SEA
COLORS = ["#ff0000", "#00c000", "#0000ff", "#ffff00", "#00ffff", "#ff00ff", "#804000"]

PROJECTIONS = [
    ccrs.PlateCarree,
    ccrs.Robinson,
    ccrs.InterruptedGoodeHomolosine,
    ccrs.Mercator,
    ccrs.TransverseMercator,
    ccrs.Gnomonic,
    ccrs.LambertConformal,
    ccrs.AlbersEqualArea,
    ccrs.LambertAzimuthalEqualArea,
    ccrs.Stereographic,
    ccrs.Orthographic,
    ccrs.NearsidePerspective,
]
WITHOUT_LATITUDE = PROJECTIONS[:4]
EXTENTS = {
    "global": (None, 10, 20),
    "regional": ((-80, 0, 0, 70), -40, 35),
    "dateline": ((120, -60, -60, 60), -150, 0),
    "polar": ((-180, 180, 48, 90), 0, 90),
}


def clusters_at(lat, lon):
    """Cluster of each place, 1 to 7 in large blocks; NaN on land."""
    surface = xvcluster.tutorial.ocean()["temperature"].isel(depth=0)
    lat, lon = (xr.DataArray(at, dims=("j", "i")) for at in np.broadcast_arrays(lat, lon))
    west = float(surface["longitude"].min())
    at = {"latitude": lat, "longitude": (lon - west) % 360 + west}
    is_sea = surface.sel(at, method="nearest").notnull().values
    blocks = 1 + (np.floor((lat + 90) / 24) + 3 * np.floor((lon + 22) % 360 / 45)) % 7
    return np.where(is_sea, blocks, np.nan)


def rectilinear(west):
    """Labels on meridians and parallels."""
    lat, lon = np.arange(-88.5, 90, 3), np.arange(west, west + 360, 3)
    values = clusters_at(lat[:, np.newaxis], lon)
    return xr.DataArray(values, {"lat": lat, "lon": lon}, ("lat", "lon"), name="label")


def curvilinear(holes):
    """Labels on a closed grid with a pole in Greenland; inland cells may have no place."""
    colatitude, longitude = np.meshgrid(
        np.radians(np.arange(1.5, 180, 3)), np.radians(np.arange(0, 360, 3)), indexing="ij"
    )
    x, y = np.sin(colatitude) * np.cos(longitude), np.sin(colatitude) * np.sin(longitude)
    z, tilt = np.cos(colatitude), np.radians(15)
    x, z = x * np.cos(tilt) + z * np.sin(tilt), z * np.cos(tilt) - x * np.sin(tilt)
    lat, lon = np.degrees(np.arcsin(z)), (np.degrees(np.arctan2(y, x)) - 40 + 180) % 360 - 180
    values = clusters_at(lat, lon)
    if holes:
        land = np.isnan(np.pad(values, ((1, 1), (0, 0)), mode="edge"))
        steps = [land[1:-1], land[2:], land[:-2]]
        steps += [np.roll(land, step, axis=1)[1:-1] for step in (1, -1)]
        inland = np.all(steps, axis=0)
        lat, lon = np.where(inland, np.nan, lat), np.where(inland, np.nan, lon)
    coords = {"lat": (("j", "i"), lat), "lon": (("j", "i"), lon)}
    return xr.DataArray(values, coords, ("j", "i"), name="label")


@pytest.fixture(scope="module")
def fields():
    return {
        "from 0": rectilinear(1.5),
        "from -180": rectilinear(-178.5),
        "half step": rectilinear(0.0),
        "curvilinear": curvilinear(holes=False),
        "holes": curvilinear(holes=True),
    }


def centred(projection, lon, lat):
    options = {"central_longitude": lon}
    if projection not in WITHOUT_LATITUDE:
        options["central_latitude"] = lat
    return projection(**options)


def seen(ax):
    """Names and pixels (column, row) of the places that the map shows, off its rim."""
    lat, lon = np.array(list(PLACES.values()), dtype=float).T
    degrees = ccrs.PlateCarree()
    at = ax.projection.transform_points(degrees, lon, lat)[:, :2]
    back = degrees.transform_points(ax.projection, *at.T)
    with np.errstate(invalid="ignore"):
        turn = np.abs((back[:, 0] - lon + 180) % 360 - 180)
        shown = (np.abs(back[:, 1] - lat) < 0.01) & (turn < 0.01)
    pixels = ax.transData.transform(np.where(shown[:, np.newaxis], at, 0.0))
    outline = ax.patch.get_transform().transform_path(ax.patch.get_path())
    for step in ((3, 0), (-3, 0), (0, 3), (0, -3)):
        shown &= outline.contains_points(pixels + step)
        shown &= [ax.bbox.contains(*pixel) for pixel in pixels + step]
    return [(name, pixels[i].astype(int)) for i, name in enumerate(PLACES) if shown[i]]


def wrong_places(labels, projection, extent, close):
    """How many places a map shows, and those in a wrong colour, with this colour."""
    options = {"coastlines": False, "borders": False, "gridlines": False, "legend": False}
    options |= {"projection": projection, "extent": extent, "colors": COLORS}
    ax = close(draw_map(labels.assign_attrs(flag_values=np.arange(1, 8)), **options))
    ax.figure.set_dpi(60)
    ax.figure.canvas.draw()
    image = np.asarray(ax.figure.canvas.buffer_rgba())[::-1, :, :3]
    grey = tuple(round(255 * c) for c in to_rgb(style.MISSING))
    wrong, places = {}, seen(ax)
    for name, (column, row) in places:
        color = tuple(int(c) for c in image[row, column])
        cluster = clusters_at(*np.array(PLACES[name], dtype=float)[:, np.newaxis, np.newaxis])
        expected = {grey}
        if name in SEA:
            expected = {tuple(round(255 * c) for c in to_rgb(COLORS[int(cluster.item()) - 1]))}
        elif labels["lat"].isnull().any():
            expected |= {(255, 255, 255)}  # outside of a grid with holes
        if color not in expected:
            wrong[name] = color
    return len(places), wrong


def test_places_lie_well_inside_land_and_sea():
    for name, (lat, lon) in PLACES.items():
        around = clusters_at(lat + np.array([[-3.0], [0], [3]]), lon + np.array([-3.0, 0, 3]))
        assert np.isnan(around).all() if name in LAND else np.ptp(around) == 0, name


@pytest.mark.parametrize("extent", EXTENTS)
@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.__name__)
def test_map_shows_places_in_their_colours(close, fields, projection, extent):
    box, *center = EXTENTS[extent]
    n_places, wrong = wrong_places(fields["from 0"], centred(projection, *center), box, close)
    assert n_places >= 2
    assert wrong == {}


@pytest.mark.parametrize("grid", ["from -180", "half step", "curvilinear", "holes"])
@pytest.mark.parametrize("extent", EXTENTS)
@pytest.mark.parametrize("projection", [ccrs.Robinson, ccrs.TransverseMercator, ccrs.Orthographic])
def test_map_of_any_grid_shows_places_in_their_colours(close, fields, grid, projection, extent):
    box, *center = EXTENTS[extent]
    n_places, wrong = wrong_places(fields[grid], centred(projection, *center), box, close)
    assert n_places >= 2
    assert wrong == {}


@pytest.mark.parametrize("extent", EXTENTS)
@pytest.mark.parametrize("grid", ["from 0", "half step", "holes"])
def test_map_chooses_a_projection_with_places_in_their_colours(close, fields, grid, extent):
    n_places, wrong = wrong_places(fields[grid], None, EXTENTS[extent][0], close)
    assert n_places >= 3
    assert wrong == {}


@pytest.mark.parametrize("projection", [ccrs.PlateCarree(), ccrs.Robinson(), ccrs.Mercator()])
def test_map_that_cuts_the_dateline_shows_places_in_their_colours(close, fields, projection):
    n_places, wrong = wrong_places(fields["from 0"], projection, (120, -60, -60, 60), close)
    assert n_places >= 15
    assert wrong == {}
