"""The kinds of NumPy arrays that signatures name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Booleans = NDArray[np.bool_]
Floats = NDArray[np.floating]
"""Of either precision: profiles are float32 or float64."""
Float64s = NDArray[np.float64]
Indices = NDArray[np.intp]
Integers = NDArray[np.int64]
Labels = NDArray[np.int32]
Objects = NDArray[np.object_]
