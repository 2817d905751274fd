"""What the commands share: their options, and errors and warnings as plain sentences."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import click

from xvcluster.messages import plain
from xvcluster.profiles.scaling import Normalization

Decorator = Callable[..., Any]
PATH = click.Path(path_type=Path)


class BadInput(click.ClickException):
    """Input that cannot be used; the message is one sentence."""

    exit_code = 2


def plainly(function: Callable[..., None]) -> Callable[..., None]:
    """Show errors and warnings as one plain sentence each."""

    @functools.wraps(function)
    def command(*args: object, **kwargs: object) -> None:
        with warnings.catch_warnings():
            _show_warnings_plainly()
            try:
                function(*args, **kwargs)
            except BrokenPipeError:
                raise  # as in `xvcluster info FILE | head`; click ends silently
            except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
                raise BadInput(_one_line(error)) from None
            except (MemoryError, OverflowError) as error:
                said = f" ({_one_line(error)})" if str(error) else ""
                raise BadInput(
                    f"this needs more memory than is available{said}; reduce the given numbers, or "
                    "use fewer profiles or levels"
                ) from None

    return command


def _one_line(said: object) -> str:
    """Put an error or a warning on one line, and nothing in it is for the terminal to obey."""
    if isinstance(said, OSError) and said.strerror:
        said = f"{said.strerror}: {said.filename}"
    return plain(said, 2000)


def _show_warnings_plainly() -> None:
    """Show each warning once, on one line; to be called inside catch_warnings."""
    shown = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        text = _one_line(message)
        if text not in shown:
            shown.add(text)
            click.echo(f"Warning: {text}", err=True)

    warnings.simplefilter("ignore")
    warnings.simplefilter("always", UserWarning)
    for known in ("h5py not installed", "Duplicate dimension names"):
        warnings.filterwarnings("ignore", known, UserWarning)
    warnings.showwarning = show


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xvcluster")
def main() -> None:
    """Cluster the vertical profiles of gridded geoscience models."""


def command(*options: Decorator) -> Callable[[Callable[..., None]], click.Command]:
    """Add a command made of a function, with these options and with errors as plain sentences."""
    return lambda function: main.command()(together(*options)(plainly(function)))


def together(*options: Decorator) -> Decorator:
    """Combine options, shown in this order, into one."""
    return lambda function: functools.reduce(lambda f, o: o(f), reversed(options), function)


def _window(text: str) -> int | float:
    """Parse a number of levels; a decimal number is a distance, as it was before."""
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(text)
    raise click.BadParameter(
        f"{text!r} is not a number of levels, such as 3; give a distance with --window-depth"
    )


def _end(text: str) -> float | str:
    """Parse the end of a range: a number, or else a date or a name."""
    with contextlib.suppress(ValueError):
        return float(text)
    return text


def _chunks(text: str) -> int | str:
    """Parse a number of points along each horizontal dimension, or "auto"."""
    if text == "auto":
        return text
    if text.isdecimal() and int(text):
        return int(text)
    raise click.BadParameter(f"{text!r} is neither 'auto' nor a number of points, such as 200")


def _range(_context: object, _option: object, ends: tuple[int, int] | None) -> range | None:
    """Turn the two ends of --k-range, both included, into the numbers of clusters to try."""
    if ends is None:
        return None
    low, high = ends
    if not 1 <= low <= high:
        raise BadInput(f"--k-range is {low} {high}; give two integers, 1 <= LOW <= HIGH")
    return range(low, high + 1)


FILE = click.argument("file", type=PATH)
RESULT = click.argument("result", type=PATH, metavar="RESULT")
VARIABLE = click.option(
    "-v",
    "--variable",
    "variables",
    multiple=True,
    metavar="NAME",
    help="Variable to cluster; repeat for several together.",
)
CHUNKS = click.option(
    "--chunks",
    type=_chunks,
    metavar="auto|POINTS",
    help="For data larger than memory: read in chunks with this many points along each "
    "horizontal dimension.",
)
DIM = click.option("--dim", metavar="NAME", help="Vertical dimension, if it cannot be inferred.")
OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace existing files.")
PLOT = click.option("--plot", type=PATH, metavar="OUT.png", help="Also draw a figure.")
TIME = click.option(
    "--time",
    metavar="TIME",
    help="Time of the map to draw, or the beginning of it, such as 2000-03, if there are several.",
)
K_RANGE = click.option(
    "--k-range",
    nargs=2,
    type=int,
    callback=_range,
    metavar="LOW HIGH",
    help="Numbers of clusters to try, both included. Default: 2 20.",
)


def clusters_option(help_text: str) -> Decorator:
    """Return the option for the number of clusters."""
    return click.option("-k", "--clusters", "n_clusters", type=int, help=help_text)


def clusters_of(help_text: str) -> Decorator:
    """Return the option for some clusters of a result, by number or name."""

    def read(_context: object, _option: object, texts: tuple[str, ...]) -> tuple[int | str, ...]:
        return tuple(int(text) if text.isdecimal() else text for text in texts)

    return click.option(
        "--cluster", "clusters", multiple=True, callback=read, metavar="CLUSTER", help=help_text
    )


def normalize_option(default: str) -> Decorator:
    """Return the option for the normalization, with a description of its default."""
    help_text = f"Normalization of the profiles. Default: {default}."
    return click.option("--normalize", type=click.Choice(get_args(Normalization)), help=help_text)


def output_option(help_text: str) -> Decorator:
    """Return the option for the file to write."""
    return click.option("-o", "--output", type=PATH, metavar="OUT", help=help_text)


def dataset_options(default: str) -> Decorator:
    """Return the options for what a command writes: a dataset, and a figure of it."""
    help_text = f"NetCDF or Zarr to write. Default: {default} in the current folder."
    return together(output_option(help_text), PLOT, TIME, OVERWRITE)


PREPARATION = together(
    click.option(
        "--depth",
        nargs=2,
        type=_end,
        metavar="LOW HIGH",
        help="Range of the vertical, in the units and sign of the file; of times, two dates, such "
        "as 2000-03 2000-05.",
    ),
    click.option("--dz", type=float, help="Interpolate to levels with this spacing."),
    click.option(
        "--levels",
        metavar="NAME",
        help="Variable with the depth or pressure of each level of each profile: interpolate "
        "to even levels of it. Needs --depth and --dz.",
    ),
    click.option("--stride", type=int, help="Use only every n-th grid point in each direction."),
    click.option("--max-gap", type=float, help="Fill gaps up to this length along a profile."),
)
MODEL = together(
    FILE,
    VARIABLE,
    PREPARATION,
    DIM,
    CHUNKS,
    click.option("--random-state", type=int, help="Seed. Default: 0."),
    dataset_options("<FILE>_clusters.nc"),
)
LEVEL_WEIGHTS = click.option(
    "--level-weights",
    type=click.Choice(["thickness"]),
    help="Weight levels by the thickness of their layers. Default: equal weights.",
)


def _by_variable(
    _context: object, _option: object, pairs: tuple[tuple[str, float], ...]
) -> dict[str, float] | None:
    """Turn what --variable-weight was given into the weight of each variable."""
    names = [name for name, _ in pairs]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise BadInput(f"--variable-weight gives {repeated!r} more than once")
    return dict(pairs) or None


VARIABLE_WEIGHTS = click.option(
    "--variable-weight",
    "variable_weights",
    nargs=2,
    type=(str, float),
    multiple=True,
    callback=_by_variable,
    metavar="NAME WEIGHT",
    help="How much squared differences of one of several variables count; repeat for others. "
    "Default: 1.",
)


def weights_option(default: str) -> Decorator:
    """Return the option for the weights of profiles, with a description of its default."""
    return click.option(
        "--weights",
        type=click.Choice(["auto", "area", "none"]),
        help=f"Weight profiles by the area of their cells, or equally. {default}",
    )


WEIGHING = together(
    normalize_option("scale several variables by their spread"),
    weights_option("Default: auto, by area if latitudes span more than 20 degrees."),
    LEVEL_WEIGHTS,
    VARIABLE_WEIGHTS,
)
BLOCK_SIZE = click.option(
    "--block-size",
    type=float,
    metavar="KM",
    help="Size of the blocks of neighbouring profiles in bootstrap samples. Default: the "
    "distance over which profiles are alike, but at least ten and at most about a hundred blocks.",
)
STABILITY = together(
    click.option(
        "--stability",
        type=int,
        metavar="SAMPLES",
        help="Number of bootstrap samples to cluster, to find how stable each label is.",
    ),
    BLOCK_SIZE,
    click.option(
        "--noise",
        multiple=True,
        metavar="[NAME=]SIGMA",
        help="With --stability: standard deviation of the errors of the data, in their units, to "
        "find how stable labels are under these; of several variables, once for each: "
        "--noise vs=0.05 --noise vp=0.1.",
    ),
)
LLOYD = together(
    click.option(
        "--checkpoint",
        type=PATH,
        metavar="FILE",
        help="With --chunks: save the centroids here after each pass, and resume from them.",
    ),
    click.option(
        "--metric",
        type=click.Choice(("euclidean", "dtw", "softdtw")),
        help="Distance between profiles. Default: euclidean.",
    ),
    click.option(
        "--window",
        type=_window,
        metavar="LEVELS",
        help="Maximum number of levels between two that dtw aligns. Default: no limit.",
    ),
    click.option(
        "--window-depth",
        type=float,
        metavar="DISTANCE",
        help="The same as a distance, in the units of the vertical; of times, in days.",
    ),
    click.option(
        "--n-init", type=int, help="Number of restarts. Default: 10 for euclidean, otherwise 3."
    ),
    WEIGHING,
)
