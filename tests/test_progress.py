"""Progress bars."""

import functools
import io

import numpy as np
import pytest
from tqdm.auto import tqdm

from xvcluster import kmeans, som
from xvcluster.methods.lloyd import Run
from xvcluster.progress import show_runs, show_steps


@pytest.fixture
def screen(monkeypatch):
    """What bars write, shown without delay."""
    written = io.StringIO()

    def bar(*, delay, **options):
        assert delay == 1
        return functools.partial(tqdm, file=written, mininterval=0)(**options)

    monkeypatch.setattr("tqdm.auto.tqdm", bar)
    return written


def test_show_runs_counts_what_has_converged(screen):
    runs = [Run(np.zeros((1, 1, 1)), n_iter=n, converged=n < 4) for n in (2, 3, 4)]
    with show_runs(True, 3) as report:
        report(runs)
    assert "runs converged:  67%" in screen.getvalue()
    assert "2/3" in screen.getvalue()
    assert "pass=4" in screen.getvalue()


def test_show_steps_counts_steps(screen):
    with show_steps(True, 10) as report:
        report(4)
        report(6)
    assert "steps: 100%" in screen.getvalue()


@pytest.mark.parametrize("progress", [None, False])
def test_nothing_is_shown_unasked_outside_a_terminal(screen, model, progress):
    kmeans(model, 3, progress=progress)
    som(model, (2, 2), n_iterations=100, progress=progress)
    assert screen.getvalue() == ""


def test_kmeans_and_som_show_a_bar_when_asked(screen, model):
    kmeans(model, 3, progress=True)
    som(model, (2, 2), n_iterations=100, progress=True)
    assert "10/10" in screen.getvalue()
    assert "100/100" in screen.getvalue()


def test_short_work_shows_nothing(capsys, model):
    kmeans(model, 3, progress=True)
    assert capsys.readouterr() == ("", "")
