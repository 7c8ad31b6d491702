import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.tasks.long_memory import TASKS, long_memory
from rnnlab.tasks.success import wrong_answers


@pytest.mark.parametrize("name", TASKS)
def test_a_task_by_name_is_that_task(name):
    by_name = long_memory(np.random.default_rng(0), 5, name=name, n_steps=30)
    itself = TASKS[name](np.random.default_rng(0), 5, n_steps=30)
    np.testing.assert_array_equal(by_name.inputs, itself.inputs)
    np.testing.assert_array_equal(by_name.targets, itself.targets)


def test_arguments_go_to_the_task_that_has_them():
    sequences = long_memory(np.random.default_rng(0), 5, name="temporal_order", n_steps=[30, 40], n_symbols=3)
    assert sequences.targets.shape == (5, 8)
    with pytest.raises(RnnlabError, match="n_symbols = 3: the task 'adding' has no such argument"):
        long_memory(np.random.default_rng(0), 5, name="adding", n_steps=30, n_symbols=3)
    with pytest.raises(RnnlabError, match="name = 'adding_up': must be one of 'adding', "):
        long_memory(np.random.default_rng(0), 5, name="adding_up", n_steps=30)


def test_wrong_answers_are_those_of_the_named_task():
    arguments = {"name": "adding", "n_steps": 30, "version": None}
    targets = np.array([[0.5], [0.5], [0.5]])
    outputs = np.array([[0.5], [0.69], [0.71]])  # wrong where the squared error exceeds 0.04
    assert wrong_answers(long_memory, arguments, outputs, targets).tolist() == [False, False, True]
