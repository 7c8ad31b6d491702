import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.tasks.minibatches import minibatch_order, minibatch_weights


@pytest.mark.parametrize("n_sequences", [1, 2, 7, 20, 21, 39, 40])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 20])
def test_every_sequence_comes_exactly_once_with_weight_1(n_sequences, batch_size):
    batch_size = min(batch_size, n_sequences)
    order = minibatch_order(np.random.default_rng(0), n_sequences, batch_size)
    weights = minibatch_weights(n_sequences, batch_size)
    assert order.shape == weights.shape == (-(-n_sequences // batch_size), batch_size)
    assert sorted(order[weights == 1]) == list(range(n_sequences))
    assert set(np.unique(weights)) <= {0.0, 1.0}


def test_only_the_end_of_the_last_minibatch_is_filled_up():
    order, weights = minibatch_order(np.random.default_rng(0), 7, 3), minibatch_weights(7, 3)
    np.testing.assert_array_equal(weights, [[1, 1, 1], [1, 1, 1], [1, 0, 0]])
    assert order.dtype == np.int32
    assert order.min() >= 0
    assert order.max() < 7


def test_no_minibatch_is_empty():
    for n_sequences in range(1, 30):
        for batch_size in range(1, n_sequences + 1):
            weights = minibatch_weights(n_sequences, batch_size)
            assert weights.sum(axis=1).min() >= 1


def test_the_order_is_the_streams():
    first = minibatch_order(np.random.default_rng(1), 100, 10)
    np.testing.assert_array_equal(first, minibatch_order(np.random.default_rng(1), 100, 10))
    assert (first != minibatch_order(np.random.default_rng(2), 100, 10)).any()
    assert (first.ravel() != np.arange(100)).any()


def test_another_batch_size_cuts_the_same_order():
    small = minibatch_order(np.random.default_rng(1), 100, 10)
    large = minibatch_order(np.random.default_rng(1), 100, 25)
    np.testing.assert_array_equal(small.ravel(), large.ravel())


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(RnnlabError, match="batch_size = 8: must be at most the number of sequences, 7"):
        minibatch_order(np.random.default_rng(0), 7, 8)


@pytest.mark.parametrize(("name", "arguments"), [("batch_size", (7, 0)), ("n_sequences", (0, 1))])
def test_sizes_are_at_least_1(name, arguments):
    with pytest.raises(RnnlabError, match=f"{name} = 0: must be a whole number of at least 1"):
        minibatch_weights(*arguments)
