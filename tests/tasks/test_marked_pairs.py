import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.tasks.marked_pairs import adding, is_wrong, is_wrong_bit, multiplication, xor

COMBINE_2013 = {adding: lambda a, b: (a + b) / 2, multiplication: lambda a, b: a * b, xor: lambda a, b: float(a != b)}
COMBINE_1997 = {adding: lambda a, b: 0.5 + (a + b) / 4, multiplication: lambda a, b: a * b}
NEUTRAL_1997 = {adding: 0.0, multiplication: 1.0}


def draw(task, n_sequences=300, **arguments):
    return task(np.random.default_rng(0), n_sequences, **arguments)


@pytest.mark.parametrize("task", COMBINE_2013)
@pytest.mark.parametrize("n_steps", [10, 37, [20, 60]])
def test_2013_marks_one_step_in_the_first_tenth_and_one_in_the_next_four(task, n_steps):
    data = draw(task, n_steps=n_steps)
    assert data.inputs.shape[2] == 2
    assert (data.mask is None) == isinstance(n_steps, int)
    for inputs, target, length in zip(data.inputs, data.targets[:, 0], data.lengths, strict=True):
        marked = np.flatnonzero(inputs[:, 0])
        assert len(marked) == 2
        assert (inputs[marked, 0] == 1).all()
        assert 0 <= marked[0] < length // 10 <= marked[1] < length // 10 + 4 * length // 10
        assert target == COMBINE_2013[task](*inputs[marked, 1])


@pytest.mark.parametrize("task", COMBINE_2013)
def test_2013_uses_every_allowed_step(task):
    data = draw(task, 3000, n_steps=40)
    marked = np.nonzero(data.inputs[:, :, 0])[1].reshape(-1, 2)
    assert set(marked[:, 0]) == set(range(4))
    assert set(marked[:, 1]) == set(range(4, 20))


def test_2013_values_are_uniform_on_0_to_1():
    values = draw(adding).inputs[:, :, 1]
    counts, _ = np.histogram(values, bins=5, range=(0.0, 1.0))
    np.testing.assert_allclose(counts / values.size, 0.2, rtol=0.05)


def test_xor_bits_are_equally_likely():
    bits = draw(xor).inputs[:, :, 1]
    assert set(np.unique(bits)) == {0.0, 1.0}
    assert bits.mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("task", COMBINE_1997)
@pytest.mark.parametrize("n_steps", [40, [40, 44]])
def test_1997_marks_one_of_the_first_ten_and_another_in_the_first_half(task, n_steps):
    data = draw(task, 2000, n_steps=n_steps, version="hochreiter1997")
    n_first_step = 0
    for inputs, target, length in zip(data.inputs, data.targets[:, 0], data.lengths, strict=True):
        markers = inputs[:length, 1]
        assert markers[0] == markers[-1] == -1
        marked = np.flatnonzero(markers == 1)
        assert (markers[1:-1] >= 0).all()
        values = inputs[marked, 0]
        if len(marked) == 1:
            n_first_step += 1
            assert inputs[0, 0] == NEUTRAL_1997[task]
            values = np.append(values, NEUTRAL_1997[task])
        assert len(values) == 2
        assert marked.min() < 10 or len(marked) == 1
        assert marked.max() < 20
        assert target == COMBINE_1997[task](*values)
    # The first step is the first choice in 1 of 10 sequences, the second one in 1 of 19 of the others.
    assert n_first_step / 2000 == pytest.approx(0.1 + 0.9 / 19, abs=0.025)


@pytest.mark.parametrize(("task", "low"), [(adding, -1.0), (multiplication, 0.0)])
def test_1997_values_are_uniform_up_to_1(task, low):
    values = draw(task, version="hochreiter1997").inputs[:, 1:, 0]
    counts, _ = np.histogram(values, bins=5, range=(low, 1.0))
    np.testing.assert_allclose(counts / values.size, 0.2, rtol=0.05)


@pytest.mark.parametrize(
    ("task", "arguments", "error"),
    [
        (adding, {}, 1 / 24),
        (adding, {"version": "hochreiter1997", "n_steps": 100}, 1 / 24 * (1 - (0.1 + 0.9 / 49) / 2)),
        (multiplication, {}, 7 / 144),
        (xor, {}, 1 / 4),
    ],
)
def test_a_constant_guess_has_the_published_error(task, arguments, error):
    assert draw(task, 10_000, **arguments).targets.var() == pytest.approx(error, rel=0.05)


@pytest.mark.parametrize("task", [adding, multiplication, xor])
def test_masked_steps_are_zero(task):
    data = draw(task, n_steps=[20, 30])
    assert not data.inputs[~data.mask].any()
    assert set(data.lengths) == set(range(20, 31))


@pytest.mark.parametrize("task", [adding, multiplication, xor])
def test_the_same_stream_gives_the_same_sequences(task):
    np.testing.assert_array_equal(draw(task).inputs, draw(task).inputs)
    assert (task(np.random.default_rng(1), 300).inputs != draw(task).inputs).any()


def test_2013_answers_are_wrong_when_the_squared_error_exceeds_004():
    outputs = np.array([[0.5], [0.69], [0.71], [0.31], [0.29], [np.nan]])
    np.testing.assert_array_equal(is_wrong(outputs[:5], np.full((5, 1), 0.5)), [False, False, True, False, True])


def test_1997_answers_are_wrong_unless_the_absolute_error_is_below_004():
    outputs = np.array([[0.5], [0.539], [0.541], [0.461], [0.459], [np.nan]])
    expected = [False, False, True, False, True, True]
    np.testing.assert_array_equal(is_wrong(outputs, np.full((6, 1), 0.5), "hochreiter1997"), expected)


def test_bits_are_wrong_when_nearer_to_the_other():
    outputs, targets = np.array([[0.2], [0.6], [0.9], [0.4]]), np.array([[0.0], [0.0], [1.0], [1.0]])
    np.testing.assert_array_equal(is_wrong_bit(outputs, targets), [False, True, False, True])


@pytest.mark.parametrize("task", [adding, multiplication, xor])
@pytest.mark.parametrize("n_steps", [9, [9, 20]])
def test_too_few_steps_are_refused(task, n_steps):
    with pytest.raises(RnnlabError, match="must be a whole number of at least 10"):
        draw(task, n_steps=n_steps)


def test_1997_needs_twenty_steps():
    with pytest.raises(RnnlabError, match="n_steps = 19: must be a whole number of at least 20"):
        draw(adding, n_steps=19, version="hochreiter1997")


def test_an_unknown_version_is_refused():
    with pytest.raises(RnnlabError, match="version = '1997': must be one of 'pascanu2013', 'hochreiter1997'"):
        draw(adding, version="1997")
