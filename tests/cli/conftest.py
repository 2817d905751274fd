"""A model in a folder of its own, and ways to run commands."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from xvcluster import tutorial
from xvcluster.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test in a folder of its own, with figures watched."""
    from matplotlib import pyplot as plt

    monkeypatch.chdir(tmp_path)
    plt.close("all")
    yield tmp_path
    assert plt.get_fignums() == [], "the command left figures open"


@pytest.fixture(scope="session")
def tomography():
    """A model of 18 × 28 profiles of 41 levels, with a variable of text and one gap."""
    model = tutorial.tomography(resolution=1)[["vs"]]
    model["vs"][3:5, 0, 0] = np.nan
    return model


@pytest.fixture
def model(tomography, folder):
    tomography.to_netcdf(folder / "model.nc")
    return "model.nc"


@pytest.fixture
def clustered(model, succeed):
    succeed("kmeans", model, "-k", "3", "-o", "clusters.nc")
    return "clusters.nc"


@pytest.fixture
def store(tomography):
    """The model as a Zarr store."""
    tomography.chunk(latitude=5, longitude=9).to_zarr("model.zarr", consolidated=False)
    return "model.zarr"


@pytest.fixture
def run():
    """Run a command."""
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def succeed(run):
    """Run a command that must succeed, and return what it prints."""

    def said(*arguments):
        outcome = run(*arguments)
        assert outcome.exit_code == 0, outcome.output
        return outcome.stdout

    return said


@pytest.fixture
def refuse(run):
    """Run a command that must fail, and return the one sentence that it prints."""

    def said(*arguments):
        outcome = run(*arguments)
        assert outcome.exit_code == 2, outcome.output
        assert isinstance(outcome.exception, SystemExit)
        errors = outcome.stderr.strip().splitlines()
        assert len(errors) == 1, outcome.stderr
        assert errors[0].startswith("Error: ")
        return errors[0]

    return said


@pytest.fixture
def is_png():
    """Whether a file is a PNG."""
    return lambda path: Path(path).read_bytes().startswith(b"\x89PNG")
