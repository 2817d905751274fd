"""The command line: xvcluster kmeans and the other commands, which cluster files."""

import click

from xvcluster.cli.clustering import demo, gmm, kmeans, som, sweep
from xvcluster.cli.comparing import consensus, match
from xvcluster.cli.results import boundaries, info, plot, predict


@click.group(
    commands=[
        info, kmeans, som, gmm, sweep, predict, match, consensus, plot, boundaries, demo,
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
@click.version_option(package_name="xvcluster")
def main() -> None:
    """Cluster the vertical profiles of gridded geoscience models."""
