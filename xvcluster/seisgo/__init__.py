"""A drop-in replacement for ``seisgo.clustering``: change the import, keep the script.

The functions have SeisGo's names and arguments, run the same ``TimeSeriesKMeans`` of tslearn and
``MiniSom`` with the same arguments on the same profiles, and return the same dictionary, identical
to the last bit. The differences are:

- Profiles with fill values (99999, 1e20, masked elements, ...) are left out, like those with NaN.
- Depths in descending order are interpolated correctly.
- The titles of panels carry the cluster numbers of the map, even if nodes of the SOM are empty.
- If the distortion has no knee, a warning is given and the best silhouette decides; in SeisGo this
  was an ``IndexError``.
- The SOM accepts a ``random_state``.
- The units on axes come from the caller, as ``units`` and ``depth_units`` or as attributes of
  DataArrays.
- The panels draw up to 2,000 members of each cluster as lines.
- The dictionary is always returned, not only with ``save=False``. An existing file is replaced only
  by a complete one, and no pickle is ever read.
- Figures need neither a network nor plotly. With ``savefig`` they are closed once they are written,
  that of the distortion as ``<figbase>_elbow.png``; without it they stay open for a notebook to
  show. ``show`` is never called.
- Arrays whose shapes disagree, a ``zrange`` without levels and too few profiles raise an error that
  says so.
- Nothing is printed except what ``verbose`` asks of tslearn and MiniSom.
"""

from xvcluster.seisgo.evaluate import vpcluster_evaluate_kmean
from xvcluster.seisgo.kmean import vpcluster_kmean
from xvcluster.seisgo.som import vpcluster_som

__all__ = ["vpcluster_evaluate_kmean", "vpcluster_kmean", "vpcluster_som"]
