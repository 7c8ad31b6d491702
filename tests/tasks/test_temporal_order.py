import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.tasks.temporal_order import is_wrong, temporal_order

TENTHS_2013 = {2: (1, 5), 3: (1, 3, 6)}
PERCENT_1997 = {2: (10, 50), 3: (10, 33, 66)}


def draw(n_sequences=300, **arguments):
    return temporal_order(np.random.default_rng(0), n_sequences, **arguments)


def relevant_steps(data):
    """For every sequence, the steps at which X or Y is shown."""
    return [np.flatnonzero(inputs[:, :2].any(axis=1)) for inputs in data.inputs]


def naive_class(symbols):
    return sum(2**k for k, symbol in enumerate(symbols) if symbol == 1)


@pytest.mark.parametrize("version", ["pascanu2013", "hochreiter1997"])
@pytest.mark.parametrize("n_symbols", [2, 3])
@pytest.mark.parametrize("n_steps", [10, 50, [40, 60]])
def test_one_symbol_is_shown_at_each_step_and_the_class_is_the_order(version, n_symbols, n_steps):
    data = draw(n_steps=n_steps, n_symbols=n_symbols, version=version)
    assert data.n_in == (6 if version == "pascanu2013" else 8)
    assert data.n_out == 2**n_symbols
    mask = np.ones((300, data.n_steps), bool) if data.mask is None else data.mask
    np.testing.assert_array_equal(data.inputs.sum(axis=2), mask)
    np.testing.assert_array_equal(data.targets.sum(axis=1), 1)
    for inputs, target, steps in zip(data.inputs, data.targets, relevant_steps(data), strict=True):
        assert len(steps) == n_symbols
        assert target.argmax() == naive_class(inputs[steps].argmax(axis=1))


@pytest.mark.parametrize("n_symbols", [2, 3])
@pytest.mark.parametrize("n_steps", [50, [40, 60]])
def test_2013_symbols_lie_in_their_tenths_of_each_sequence(n_symbols, n_steps):
    data = draw(n_steps=n_steps, n_symbols=n_symbols)
    for steps, length in zip(relevant_steps(data), data.lengths, strict=True):
        for step, tenth in zip(steps, TENTHS_2013[n_symbols], strict=True):
            assert tenth * length // 10 <= step < tenth * length // 10 + length // 10


def test_2013_uses_every_allowed_step():
    steps = np.array(relevant_steps(draw(1000, n_steps=50)))
    assert set(steps[:, 0]) == set(range(5, 10))
    assert set(steps[:, 1]) == set(range(25, 30))


@pytest.mark.parametrize("n_symbols", [2, 3])
def test_1997_symbols_lie_where_published_whatever_the_length(n_symbols):
    data = draw(3000, n_steps=[100, 110], n_symbols=n_symbols, version="hochreiter1997")
    steps = np.array(relevant_steps(data))
    for k, start in enumerate(PERCENT_1997[n_symbols]):
        assert set(steps[:, k]) == set(range(start, start + 11))


def test_1997_sequences_begin_with_e_and_end_with_b():
    data = draw(n_steps=[40, 60], version="hochreiter1997")
    symbols = data.inputs.argmax(axis=2)
    for sequence, length in zip(symbols, data.lengths, strict=True):
        assert sequence[0] == 6
        assert sequence[length - 1] == 7
        assert sequence[1 : length - 1].max() < 6


@pytest.mark.parametrize("version", ["pascanu2013", "hochreiter1997"])
@pytest.mark.parametrize("n_symbols", [2, 3])
def test_classes_and_distractors_are_equally_likely(n_symbols, version):
    data = draw(4000, n_symbols=n_symbols, n_steps=20, version=version)
    np.testing.assert_allclose(data.targets.mean(axis=0), 2.0**-n_symbols, rtol=0.15)
    distractors = data.inputs[:, :, 2:6].sum(axis=(0, 1))
    np.testing.assert_allclose(distractors / distractors.sum(), 0.25, rtol=0.05)


def test_the_same_stream_gives_the_same_sequences():
    np.testing.assert_array_equal(draw().inputs, draw().inputs)
    assert (temporal_order(np.random.default_rng(1), 300).inputs != draw().inputs).any()


def test_2013_answers_are_wrong_when_another_output_is_largest():
    targets = np.eye(4)[[0, 1]]
    outputs = np.array([[0.3, 0.2, 0.2, 0.2], [0.4, 0.3, 0.0, 0.0]])
    np.testing.assert_array_equal(is_wrong(outputs, targets), [False, True])


def test_1997_answers_are_wrong_when_any_output_is_off_by_03():
    targets = np.eye(4)[[0, 0, 0]]
    outputs = np.array([[0.8, 0.2, 0.0, 0.1], [0.69, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.31]])
    np.testing.assert_array_equal(is_wrong(outputs, targets, "hochreiter1997"), [False, True, True])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_symbols": 4}, "n_symbols = 4: must be one of 2, 3"),
        ({"n_symbols": 2.0}, "n_symbols = 2.0: must be a whole number"),
        ({"version": "elman"}, "version = 'elman': must be one of 'pascanu2013', 'hochreiter1997'"),
        ({"n_steps": 9}, "n_steps = 9: must be a whole number of at least 10"),
        ({"n_steps": [60, 50]}, r"n_steps = \[60, 50\]: the low end"),
    ],
)
def test_arguments_out_of_range_are_named_with_their_value(arguments, message):
    with pytest.raises(RnnlabError, match=message):
        draw(**arguments)
