"""The clusters of a satellite image as a shapefile: from a NetCDF raster to outlines on a map.

    python examples/raster_lesson.py [FOLDER]

Writes a raster (the real sea surface temperature, Levitus 1982) to a NetCDF file, in place of your
own file, and continues from there: clusters for k = 2 to 8 next to the original, six clusters, two
of them selected, their outlines longer than 200 km, a shapefile, and the shapefile read back and
drawn over the raster. Saves everything to FOLDER (default: the current folder). Needs geopandas:
pip install "xvcluster[geo]".
"""

import sys
from pathlib import Path

import geopandas as gpd
import xarray as xr

import xvcluster


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    surface = xvcluster.tutorial.ocean()["temperature"].isel(depth=0, drop=True)
    surface.to_netcdf(folder / "raster.nc")

    raster = xr.open_dataarray(folder / "raster.nc")
    sweep = raster.vcluster.sweep(range(2, 9))
    sweep.plot.maps(original=True).savefig(folder / "raster_maps.png", dpi=150)

    result = raster.vcluster.kmeans(6)
    print(result)
    selected = result.select([4, 6])
    print(
        f"\n{int(selected.count()):,} of {int(result.labels.count()):,} cells in clusters 4 and 6"
    )

    outlines = result.boundaries([4, 6], min_length=200)
    outlines.to_file(folder / "outlines.shp")

    again = gpd.read_file(folder / "outlines.shp")
    print(f"{len(again)} outlines longer than 200 km:")
    print(again.groupby("cluster")[["length_km", "area_km2"]].sum().round().to_string())
    ax = result.plot.map(boundaries=again, background=raster, borders=False)
    ax.figure.savefig(folder / "raster_outlines.png", dpi=150)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
