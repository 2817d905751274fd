"""Steps that all methods take."""

import numpy as np
import pytest

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.source import InMemory
from xvcluster.methods.steps import require_distinct


def test_require_distinct_counts_profiles_that_differ():
    profiles = np.repeat(np.arange(3.0), 4)[:, None, None]
    source = InMemory.of(Block.of(profiles))
    require_distinct(source, 3)
    message = "n_clusters=4 is more than the distinct profiles among the 12 complete ones; ask for"
    with pytest.raises(ValueError, match=message):
        require_distinct(source, 4)
