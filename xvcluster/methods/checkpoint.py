"""Centroids on disk between the passes of a long fit, from which it can continue."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from xvcluster.algorithms.lloyd import Run
from xvcluster.algorithms.source import Source
from xvcluster.options import check_path
from xvcluster.record.replace import replace

_STATE = ("inertia", "n_iter", "converged", "shift", "guided")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file of runs, and the fit that they belong to.

    Attributes
    ----------
    path : Path
    about : str
        Digest of the data and options; a file of another fit is refused.
    """

    path: Path
    about: str

    @classmethod
    def of(
        cls, path: str | os.PathLike[str], parameters: Mapping[str, Any], source: Source
    ) -> Checkpoint:
        """Make the checkpoint of a fit with these options to these profiles."""
        kept = {name: value for name, value in parameters.items() if name != "max_iter"}
        known = [kept, source.n_profiles, source.sample.values.shape]
        digest = hashlib.sha256(json.dumps(known).encode())
        for array in (source.sample.values, source.sample.weights):
            digest.update(array.tobytes())
        return cls(Path(path), digest.hexdigest())

    def save(self, runs: Mapping[int, Run]) -> None:
        """Write the runs; they replace those before once the new file is complete."""
        arrays = {f"centroids_{k}": run.centroids for k, run in runs.items()}
        state = {k: {name: getattr(run, name) for name in _STATE} for k, run in runs.items()}
        with replace(self.path) as temporary, temporary.open("wb") as file:
            about = np.array(json.dumps([self.about, state]))
            np.savez(file, about=about, **arrays)  # type: ignore[arg-type]

    def load(self) -> dict[int, Run] | None:
        """Load the runs that were saved last; None if there are none yet.

        Raises
        ------
        ValueError
            If the file is not a checkpoint, or belongs to other data or options.
        """
        if not self.path.exists():
            return None
        about, runs = _read(self.path)
        if about != self.about:
            raise ValueError(
                f"the checkpoint {str(self.path)!r} belongs to other data or options; delete it, "
                "or give another name"
            )
        return runs


def check_checkpoint(path: str | os.PathLike[str]) -> None:
    """Refuse a path that cannot be a checkpoint, before any work.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    ValueError
        If there is a file that is not a checkpoint.
    """
    path = check_path("checkpoint", path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"the folder {str(path.parent)!r} of the checkpoint does not exist; create it"
        )
    if path.exists():
        _read(path)


def _read(path: Path) -> tuple[str, dict[int, Run]]:
    """Read the digest of a checkpoint, and its runs."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            about, state = json.loads(str(file["about"]))
            centroids = {int(k): file[f"centroids_{k}"] for k in state}
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise ValueError(
            f"{str(path)!r} is not a checkpoint of xvcluster; give another name"
        ) from error
    return about, {k: Run(c, **state[str(k)]) for k, c in centroids.items()}
