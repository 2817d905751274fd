"""What the commands share: their options, and plain words for errors and warnings."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, get_args

import click

from xvcluster.options import Normalization

P = ParamSpec("P")
Decorator = Callable[..., Any]
PATH = click.Path(path_type=Path)


class BadInput(click.ClickException):
    """What the user gave cannot be used; shown as one sentence."""

    exit_code = 2


def plainly(function: Callable[P, None]) -> Callable[P, None]:
    """Show errors of input and warnings as one plain sentence each."""

    @functools.wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        with warnings.catch_warnings():
            _show_warnings_plainly()
            try:
                function(*args, **kwargs)
            except BrokenPipeError:
                raise  # of `xvcluster info FILE | head`, which click ends in silence
            except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
                raise BadInput(_sentence(error)) from None
            except (MemoryError, OverflowError) as error:
                raise BadInput(_too_much(error)) from None

    return command


def _sentence(error: Exception) -> str:
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.strerror}: {error.filename}"
    return " ".join(text.split())


def _too_much(error: MemoryError | OverflowError) -> str:
    said = " ".join(str(error).split())
    return (
        f"this needs more memory than there is{f' ({said})' if said else ''}; "
        "lower the numbers given, or take fewer profiles or levels"
    )


def _show_warnings_plainly() -> None:
    """Show each warning once, on one line; must stand inside catch_warnings."""
    shown = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        text = " ".join(str(message).split())
        if text not in shown:
            shown.add(text)
            click.echo(f"Warning: {text}", err=True)

    warnings.simplefilter("ignore")
    warnings.simplefilter("always", UserWarning)
    warnings.filterwarnings("ignore", "h5py not installed", UserWarning)
    warnings.showwarning = show


def command(*options: Decorator) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of a function, with its options in this order and errors in plain words."""
    return lambda function: click.command()(together(*options)(plainly(function)))


def together(*options: Decorator) -> Decorator:
    """Combine options, shown in this order, into one."""
    return lambda function: functools.reduce(lambda f, o: o(f), reversed(options), function)


def _window(text: str) -> int | float:
    """A number of levels where an integer is written, or else a distance along the vertical."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a number; write 3 for three levels, or 3.0 for a distance in the "
            "units of the vertical"
        ) from None


def _chunks(text: str) -> int | str:
    """Points along each horizontal dimension, or "auto"."""
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
    help="For data larger than memory: read them in chunks, of so many points along each "
    "horizontal dimension.",
)
DIM = click.option("--dim", metavar="NAME", help="Vertical dimension, where it cannot be told.")
OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace files that exist.")
PLOT = click.option("--plot", type=PATH, metavar="OUT.png", help="Draw a figure as well.")
CLUSTERS = click.option(
    "-k",
    "--clusters",
    "n_clusters",
    type=int,
    help="Number of clusters. Default: the knee of the inertia.",
)
K_RANGE = click.option(
    "--k-range",
    nargs=2,
    type=int,
    callback=_range,
    metavar="LOW HIGH",
    help="Numbers of clusters to try, both included. Default: 2 20.",
)


def output_option(help_text: str) -> Decorator:
    """Return the option for the file to write."""
    return click.option("-o", "--output", type=PATH, metavar="OUT", help=help_text)


MODEL = together(
    FILE,
    VARIABLE,
    click.option(
        "--depth",
        nargs=2,
        type=float,
        metavar="LOW HIGH",
        help="Range of the vertical, in the file's units and sign.",
    ),
    click.option("--dz", type=float, help="Resample to this even step."),
    click.option("--stride", type=int, help="Take every n-th point of the map."),
    click.option("--max-gap", type=float, help="Fill gaps of at most this along a profile."),
    DIM,
    CHUNKS,
    click.option("--random-state", type=int, help="Seed. Default: 0."),
    output_option("NetCDF or Zarr to write. Default: <FILE>_clusters.nc in the current folder."),
    PLOT,
    OVERWRITE,
)
LEVEL_WEIGHTS = click.option(
    "--level-weights",
    type=click.Choice(["thickness"]),
    help="Let levels count by the thickness of their layers. Default: each once.",
)
WEIGHING = together(
    click.option(
        "--normalize",
        type=click.Choice(get_args(Normalization)),
        help="How profiles are made comparable. Default: several variables each by its spread.",
    ),
    click.option(
        "--weights",
        type=click.Choice(["area"]),
        help="Let profiles count by the area of their cells. Default: each once.",
    ),
    LEVEL_WEIGHTS,
)
STABILITY = click.option(
    "--stability",
    type=int,
    metavar="SAMPLES",
    help="Cluster so many bootstrap samples too, and tell how sure each point is.",
)
BLOCK_SIZE = click.option(
    "--block-size",
    type=float,
    metavar="KM",
    help="Size of the blocks of neighbours that bootstrap samples are made of. Default: such that "
    "there are about a hundred.",
)
LLOYD = together(
    click.option(
        "--checkpoint",
        type=PATH,
        metavar="FILE",
        help="With --chunks: keep the centroids here after each pass, and go on from them.",
    ),
    click.option(
        "--metric",
        type=click.Choice(("euclidean", "dtw", "softdtw")),
        help="Distance of profiles. Default: euclidean.",
    ),
    click.option(
        "--window",
        type=_window,
        metavar="NUMBER",
        help="Levels that dtw pairs are at most this far apart: 3 counts levels, 3.0 is a distance "
        "in the units of the vertical. Default: any.",
    ),
    click.option(
        "--n-init", type=int, help="Restarts. Default: 10 for euclidean, 3 for the others."
    ),
)
