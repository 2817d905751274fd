"""Results: frozen views of one self-describing Dataset each."""

from xvcluster.result.opening import open_result
from xvcluster.result.views import ClusterResult, SweepResult

__all__ = ["ClusterResult", "SweepResult", "open_result"]
