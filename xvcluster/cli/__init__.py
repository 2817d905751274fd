"""The command line: xvcluster info, kmeans, som, sweep, predict, plot, boundaries and demo."""

import click

from xvcluster.cli.clustering import demo, kmeans, som, sweep
from xvcluster.cli.results import boundaries, info, plot, predict


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xvcluster")
def main() -> None:
    """Cluster the vertical profiles of gridded geoscience models."""


for command in (info, kmeans, som, sweep, predict, plot, boundaries, demo):
    main.add_command(command)
