"""A drop-in for ``seisgo.clustering``: change the import, keep the script.

The functions have SeisGo's names and arguments, run the same ``TimeSeriesKMeans`` of tslearn and
``MiniSom`` with the same arguments on the same profiles, and give the same dictionary, to the bit.
What is different:

- Fill values (99999, 1e20, masked elements, ...) never become data: such profiles are left out, as
  those with NaN are.
- Depths in descending order are interpolated in ascending order, not into nonsense.
- Titles of panels carry the numbers of the map when nodes of the SOM are empty.
- A distortion without a knee warns and takes the best silhouette; it was an ``IndexError``.
- The SOM has a ``random_state``.
- Units on axes come from the caller, as ``units`` and ``depth_units``.
- The dictionary is returned always, not only with ``save=False``. A file is replaced only by a
  whole one, and no pickle is ever read.
- Figures need no network and no plotly. With ``savefig`` each is closed once it is written, the one
  of the distortion as ``<figbase>_elbow.png``; without, they stay open for a notebook to show, and
  ``show`` is never called.
- Shapes that disagree, a ``zrange`` without levels and too few profiles are refused by name.
- Nothing is printed but what ``verbose`` asks of tslearn and MiniSom.
"""

from xvcluster.seisgo.evaluate import vpcluster_evaluate_kmean
from xvcluster.seisgo.kmean import vpcluster_kmean
from xvcluster.seisgo.som import vpcluster_som

__all__ = ["vpcluster_evaluate_kmean", "vpcluster_kmean", "vpcluster_som"]
