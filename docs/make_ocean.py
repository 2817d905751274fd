"""Create ``xvcluster/data/levitus_2deg.nc``, the data of ``xvcluster.tutorial.ocean``.

For maintainers; run by hand from the root of the repository on the annual 1° climatology of Levitus
(1982), as NOAA distributes it with Ferret (variables TEMP and SALT)::

    python docs/make_ocean.py levitus_1deg.nc

At each depth, a 2° cell is the unweighted mean of those of its four 1° cells that contain water, if
there are at least two of them; the coast is thus shifted neither inland nor seawards.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xarray as xr

DATA = Path(__file__).resolve().parents[1] / "xvcluster" / "data"
ATTRS = {
    "temperature": {
        "long_name": "temperature",
        "standard_name": "sea_water_temperature",
        "units": "degree_Celsius",
    },
    "salinity": {
        "long_name": "salinity",
        "standard_name": "sea_water_salinity",
        "units": "1e-3",
    },
    "depth": {
        "long_name": "depth",
        "standard_name": "depth",
        "units": "m",
        "positive": "down",
        "axis": "Z",
    },
    "latitude": {
        "long_name": "latitude",
        "standard_name": "latitude",
        "units": "degrees_north",
        "axis": "Y",
    },
    "longitude": {
        "long_name": "longitude",
        "standard_name": "longitude",
        "units": "degrees_east",
        "axis": "X",
    },
}
GLOBAL_ATTRS = {
    "Conventions": "CF-1.10",
    "title": "Levitus annual climatology of the World Ocean, 2 degrees",
    "reference": (
        "Levitus, S. (1982), Climatological Atlas of the World Ocean,"
        " NOAA Professional Paper 13, U.S. Government Printing Office, Washington, D.C., 173 pp."
    ),
    "license": "public domain",
    "history": (
        "docs/make_ocean.py of xvcluster: mean of the 2x2 cells of the 1 degree climatology"
        " distributed with NOAA's Ferret, where at least two of the four hold water;"
        " packed in steps of 0.002"
    ),
}
# steps of 0.002, in °C and in 1e-3; the scale is float32, so that xarray decodes to float32
PACKING = {
    "dtype": "int16",
    "scale_factor": np.float32(0.002),
    "add_offset": np.float32(20.0),
    "_FillValue": np.int16(-32768),
    "zlib": True,
    "complevel": 9,
    "shuffle": True,
}


def halve(source: xr.Dataset) -> xr.Dataset:
    """Average the 2x2 blocks in which at least two cells contain water."""
    blocks = source.coarsen(latitude=2, longitude=2)
    wet = source.notnull().coarsen(latitude=2, longitude=2).sum()
    return blocks.mean().where(wet >= 2)


def main(path: Path) -> None:
    """Write the file."""
    with xr.open_dataset(path) as source:
        names = {"TEMP": "temperature", "SALT": "salinity"}
        ocean = halve(source[list(names)].load()).rename(names)
    for name, attrs in ATTRS.items():
        ocean[name].attrs = attrs
    ocean.attrs = GLOBAL_ATTRS
    ocean = ocean.drop_encoding()
    no_fill = {name: {"_FillValue": None} for name in ocean.coords}
    encoding = dict.fromkeys(ocean.data_vars, PACKING) | no_fill
    target = DATA / "levitus_2deg.nc"
    ocean.to_netcdf(target, engine="netcdf4", encoding=encoding)
    print(f"{target}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
