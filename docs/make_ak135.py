"""Create ``xvcluster/data/ak135.csv``, the Earth model that exported models are continued by.

For maintainers; run by hand from the root of the repository, where ObsPy is installed, which has
the table of Kennett, Engdahl & Buland (1995) as the authors distribute it, ``ak135.tvel``::

    python docs/make_ak135.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import obspy.taup

DATA = Path(__file__).resolve().parents[1] / "xvcluster" / "data"
HEADER = """\
ak135: Kennett, B. L. N., Engdahl, E. R. & Buland, R. (1995), Constraints on seismic velocities in
the Earth from traveltimes, Geophys. J. Int. 122, 108-124, doi:10.1111/j.1365-246X.1995.tb03540.x.
Linear between depths; a depth that is there twice is a discontinuity.
depth (km),Vp (km/s),Vs (km/s),density (g/cm3)"""


def main() -> None:
    """Write the table."""
    source = Path(obspy.taup.__file__).parent / "data" / "ak135.tvel"
    table = np.loadtxt(source, skiprows=2)
    np.savetxt(DATA / "ak135.csv", table, "%g", ",", header=HEADER, comments="# ")
    print(f"{len(table)} depths")


if __name__ == "__main__":
    main()
