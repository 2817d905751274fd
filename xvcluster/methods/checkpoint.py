"""Centroids on disk between the passes of a long fit, from which it can continue."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xvcluster.algorithms.lloyd import Run
from xvcluster.algorithms.source import Source
from xvcluster.arrays import Float64s
from xvcluster.messages import plain
from xvcluster.options import check_path
from xvcluster.record.replace import replace

State = dict[str, dict[str, Any]]

_STATE = ("inertia", "n_iter", "converged", "shift", "guided")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file of runs, and the fit that they belong to.

    Attributes
    ----------
    path : Path
    about : str
        Digest of the data and options; a file of another fit is refused.
    ks : tuple of int
        Numbers of clusters of the runs.
    shape : (int, int)
        Levels and variables of the profiles.
    """

    path: Path
    about: str
    ks: tuple[int, ...]
    shape: tuple[int, int]

    @classmethod
    def of(
        cls, path: str | os.PathLike[str], parameters: Mapping[str, Any], source: Source
    ) -> Checkpoint:
        """Make the checkpoint of a fit to these profiles; its options include ``k``."""
        kept = {name: value for name, value in parameters.items() if name != "max_iter"}
        known = [kept, source.n_profiles, source.sample.values.shape]
        digest = hashlib.sha256(json.dumps(known).encode())
        for array in (source.sample.values, source.sample.weights):
            digest.update(array.tobytes())
        n_levels, n_variables = source.sample.values.shape[1:]
        return cls(Path(path), digest.hexdigest(), tuple(kept["k"]), (n_levels, n_variables))

    def save(self, runs: Mapping[int, Run]) -> None:
        """Write the runs; they replace those before once the new file is complete."""
        arrays = {f"centroids_{k}": run.centroids for k, run in runs.items()}
        state = {str(k): {name: getattr(run, name) for name in _STATE} for k, run in runs.items()}
        said = json.dumps([self.about, state])
        with replace(self.path) as temporary, temporary.open("wb") as file:
            about = np.array([said, _checksum(said, arrays)])
            np.savez(file, about=about, **arrays)  # type: ignore[arg-type]

    def load(self) -> dict[int, Run] | None:
        """Load the runs that were saved last; None if there are none yet.

        Raises
        ------
        ValueError
            If the file is not a checkpoint, was changed, or belongs to other data or options.
        """
        if not self.path.exists():
            return None
        about, state, centroids = _read(self.path)
        if about != self.about:
            raise ValueError(
                f"the checkpoint {str(self.path)!r} belongs to other data or options; delete it, "
                "or give another name"
            )
        shapes = {f"centroids_{k}": (k, *self.shape) for k in self.ks}
        if {name: own.shape for name, own in centroids.items()} != shapes:
            raise _damaged(self.path, f"it does not hold centroids of k = {list(self.ks)}")
        return {k: Run(centroids[f"centroids_{k}"], **state[str(k)]) for k in self.ks}


def check_checkpoint(path: str | os.PathLike[str]) -> None:
    """Refuse a path that cannot be a checkpoint, before any work.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    ValueError
        If there is a file that is not a checkpoint, or is damaged.
    """
    path = check_path("checkpoint", path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"the folder {str(path.parent)!r} of the checkpoint does not exist; create it"
        )
    if path.exists():
        _read(path)


def _read(path: Path) -> tuple[str, State, dict[str, Float64s]]:
    """Read the digest of a checkpoint, and the state and centroids of its runs, checked."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            # arrays are not compressed: one larger than the file is a trap
            if sum(entry.file_size for entry in file.zip.filelist) > path.stat().st_size:
                raise ValueError
            said, checksum = map(str, file["about"])
            centroids = {name: file[name] for name in file.files if name != "about"}
            about, state = json.loads(said)
    except (MemoryError, PermissionError):
        raise
    except Exception as error:  # of zip files, arrays or JSON
        raise ValueError(
            f"{str(path)!r} is not a checkpoint of xvcluster; give another name, or delete it"
        ) from error
    if checksum != _checksum(said, centroids):
        raise _damaged(path, "it is not what was written")
    for name, own in centroids.items():
        if own.dtype != np.float64 or not np.isfinite(own).all():
            raise _damaged(path, f"{plain(name)!r} holds what are no finite numbers in float64")
    is_whole = isinstance(state, dict) and len(state) == len(centroids)
    if not (is_whole and all(_is_state(own) for own in state.values())):
        raise _damaged(path, "it does not say how far its fits are")
    return str(about), state, centroids


def _is_state(state: Any) -> bool:
    """Whether this is the state of a run, all but its centroids."""
    return (
        isinstance(state, dict)
        and set(state) == set(_STATE)
        and all(isinstance(state[name], float) for name in ("inertia", "shift"))
        and all(isinstance(state[name], bool) for name in ("converged", "guided"))
        and type(state["n_iter"]) is int
        and state["n_iter"] >= 0
    )


def _damaged(path: Path, why: str) -> ValueError:
    return ValueError(
        f"the checkpoint {str(path)!r} is damaged: {why}; delete it, and the fit starts anew"
    )


def _checksum(said: str, arrays: Mapping[str, Float64s]) -> str:
    """Checksum of everything in a checkpoint."""
    digest = hashlib.sha256(said.encode())
    for name in sorted(arrays):
        digest.update(json.dumps([name, arrays[name].dtype.str, *arrays[name].shape]).encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()
