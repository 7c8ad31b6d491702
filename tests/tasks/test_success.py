"""Which answers count as wrong, task by task."""

import numpy as np
import pytest

from rnnlab.tasks.dot_product import dot_product
from rnnlab.tasks.marked_pairs import adding, multiplication, xor
from rnnlab.tasks.memorisation import memorisation
from rnnlab.tasks.random_permutation import random_permutation
from rnnlab.tasks.success import wrong_answers
from rnnlab.tasks.temporal_order import temporal_order


@pytest.mark.parametrize("task", [adding, multiplication, xor, temporal_order, random_permutation, memorisation])
def test_the_targets_themselves_are_right_and_their_opposite_is_wrong(task):
    targets = task(np.random.default_rng(0), 20, n_steps=30).targets
    assert not wrong_answers(task, {"n_steps": 30}, targets, targets).any()
    assert wrong_answers(
        task, {"n_steps": 30}, 1 - targets if task is not multiplication else targets + 1, targets
    ).any()


def test_a_criterion_gets_the_arguments_of_the_task_that_it_has_a_parameter_for():
    outputs, targets = np.array([[0.5], [0.55]]), np.array([[0.5], [0.5]])
    assert wrong_answers(adding, {"n_steps": 30, "version": "pascanu2013"}, outputs, targets).tolist() == [False, False]
    assert wrong_answers(adding, {"n_steps": 30, "version": "hochreiter1997"}, outputs, targets).tolist() == [
        False,
        True,
    ]


def test_a_task_without_a_criterion_has_none_and_its_own_comes_first():
    zeros = np.zeros((3, 1))
    assert wrong_answers(dot_product, {}, zeros, zeros) is None

    def own(rng, n_sequences):
        raise NotImplementedError

    own.is_wrong = lambda outputs, targets: outputs[:, 0] < 1
    assert wrong_answers(own, {}, zeros, zeros).all()
