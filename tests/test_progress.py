"""Progress bars."""

import functools
import io
import re

import numpy as np
import pytest
from tqdm.auto import tqdm

from xvcluster import kmeans, som
from xvcluster.algorithms.lloyd import Run
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
    with show_runs(True) as report:
        report(runs)
        shown = screen.getvalue().split("\r")[-1]
        assert "passes: 1pass" in shown
        assert "converged=2/3]" in shown
        report(runs[:2])
        shown = screen.getvalue().split("\r")[-1]
        assert "passes: 2pass" in shown
        assert "converged=2/2]" in shown


def test_show_runs_tells_what_the_last_pass_gained(screen):
    gains = []
    with show_runs(True) as report:
        for inertia in ([500.0, 500.0], [500.0, 498.8], [400.0, 700.0], [0.0, 0.0], [0.0, 0.0]):
            report([Run(np.zeros((1, 1, 1)), inertia=i) for i in inertia])
            shown = screen.getvalue().split("\r")[-1]
            gains.append(re.findall(r"gain=([^,\]]*)\]", shown))
            assert "-" not in shown.split("converged")[1].replace("e-", "")  # as of an inertia
    assert gains == [[], ["1.2e-03"], [], ["1.0e+00"], ["0.0e+00"]]  # none of a new step


def test_show_steps_counts_steps(screen):
    with show_steps(True, 10) as report:
        report(4)
        report(6)
    assert "steps: 100%" in screen.getvalue()


@pytest.mark.parametrize("progress", [None, False])
def test_nothing_is_shown_unasked_outside_a_terminal(screen, model, progress):
    kmeans(model, 3, progress=progress)
    som(model, (2, 2), algorithm="online", n_iterations=100, progress=progress)
    assert screen.getvalue() == ""


def test_kmeans_and_som_show_a_bar_when_asked(screen, model):
    kmeans(model, 3, progress=True)
    som(model, (2, 2), algorithm="online", n_iterations=100, progress=True)
    assert "passes: 1pass" in screen.getvalue()
    assert "converged=10/10" in screen.getvalue()
    assert re.search(r"gain=\d\.\de[-+]\d\d", screen.getvalue())
    assert "100/100" in screen.getvalue()


def test_short_work_shows_nothing(capsys, model):
    kmeans(model, 3, progress=True)
    assert capsys.readouterr() == ("", "")
