import numpy as np

from rnnlab.tasks.one_hot import is_misclassified, one_hot


def test_one_hot_marks_each_index():
    np.testing.assert_array_equal(one_hot(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])
    encoded = one_hot(np.arange(6).reshape(2, 3), 6)
    assert encoded.shape == (2, 3, 6)
    np.testing.assert_array_equal(encoded.argmax(axis=2), [[0, 1, 2], [3, 4, 5]])
    assert encoded.sum() == 6


def test_the_largest_output_decides_at_the_end():
    targets = one_hot(np.array([0, 1, 2]), 3)
    outputs = np.array([[0.4, 0.3, 0.3], [0.5, 0.4, 0.1], [-3.0, -2.0, -1.0]])
    np.testing.assert_array_equal(is_misclassified(outputs, targets), [False, True, False])


def test_one_wrong_real_step_makes_a_sequence_wrong_and_masked_steps_do_not_count():
    targets = one_hot(np.array([[0, 1, 2], [0, 1, 2], [0, 1, 2]]), 3)
    outputs = targets.copy()
    outputs[0, 1] = [1, 0, 0]
    outputs[2, 2] = [0, 1, 0]
    targets[2, 2] = 0
    np.testing.assert_array_equal(is_misclassified(outputs, targets), [True, False, False])
