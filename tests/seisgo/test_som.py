import numpy as np
import pytest
from minisom import MiniSom

from xvcluster.seisgo import vpcluster_som
from xvcluster.seisgo.som import find_winners


@pytest.mark.parametrize("shape", [(3, 4), (4, 2)])
def test_vpcluster_som_equals_the_loop(axes, shape, loop_som, assert_same):
    outcome = vpcluster_som(
        *axes, shape, spacing=2, niteration=2000, random_state=7, plot=False, save=False
    )
    assert_same(outcome, loop_som(axes, shape, 7, 2000, spacing=2))


def test_vpcluster_som_sizes_its_grid_by_the_profiles(made, loop_profiles, loop_som, assert_same):
    outcome = vpcluster_som(*made, niteration=500, random_state=1, plot=False, save=False)
    side = int(np.ceil(np.sqrt(np.sqrt(len(loop_profiles(*made)[0])))))
    assert outcome["para"] == {
        "nx": side,
        "ny": side,
        "sigma": 0.3,
        "niteration": 500,
        "learning_rate": 0.1,
    }
    assert outcome["method"] == "som"
    assert isinstance(outcome["model"], MiniSom)
    assert_same(outcome, loop_som(made, (side, side), 1, 500))


def test_vpcluster_som_without_a_seed_differs_between_runs(made):
    runs = [vpcluster_som(*made, (4, 4), niteration=50, plot=False, save=False) for _ in range(2)]
    weights = [run["model"].get_weights() for run in runs]
    assert not np.array_equal(*weights)


@pytest.mark.parametrize("n_depth", [1, 7, 8, 130])
def test_find_winners_rounds_as_minisom(n_depth):
    rng = np.random.default_rng(n_depth)
    model = MiniSom(3, 5, n_depth, random_seed=0)
    # values on a coarse lattice make many distances nearly or exactly equal
    profiles = rng.integers(0, 4, (400, n_depth)) * 0.1
    model.random_weights_init(profiles)
    model.train(profiles, 30)
    winners = [np.ravel_multi_index(model.winner(p), (3, 5)) for p in profiles]
    np.testing.assert_array_equal(find_winners(profiles, model.get_weights()), winners)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid_size": 3}, "grid_size must be a pair of positive integers"),
        ({"niteration": 0}, "niteration must be at least 1; got 0"),
        ({"sigma": 0}, "sigma must be finite and above 0; got 0"),
        ({"rate": -0.1}, "rate must be finite and above 0; got -0.1"),
    ],
)
def test_vpcluster_som_refuses_bad_input(made, change, message):
    with pytest.raises(ValueError, match=message):
        vpcluster_som(*made, plot=False, save=False, **change)
