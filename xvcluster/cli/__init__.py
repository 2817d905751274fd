"""The command line: xvcluster kmeans and the other commands, which cluster files."""

from xvcluster.cli import (  # noqa: F401  they add their commands
    clustering,
    comparing,
    exporting,
    results,
)
from xvcluster.cli.commandline import main

__all__ = ["main"]
