"""The command line: xvcluster kmeans and the other commands, which cluster files."""

from xvcluster.cli import clustering, comparing, results  # noqa: F401  they add their commands
from xvcluster.cli.commandline import main

__all__ = ["main"]
