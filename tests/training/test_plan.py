import itertools

from rnnlab.training.plan import count_validations, plan

CASES = list(itertools.product([1, 2, 3, 7, 10], [0, 1, 2, 5, 6], [None, 1, 2, 3, 7, 8, 14, 15, 100]))


def test_chunks_are_all_minibatches_of_all_epochs_in_order():
    for n_minibatches, max_epochs, validate_every in CASES:
        chunks = list(plan(n_minibatches, max_epochs, validate_every))
        made = [(chunk.epoch, k) for chunk in chunks for k in range(chunk.start, chunk.stop)]
        assert made == [(epoch, k) for epoch in range(max_epochs) for k in range(n_minibatches)]
        assert all(chunk.start < chunk.stop for chunk in chunks)
        assert all(chunk.ends_epoch == (chunk.stop == n_minibatches) for chunk in chunks)


def test_count_validations_counts_those_of_the_plan():
    for case in CASES:
        assert count_validations(*case) == sum(chunk.validate for chunk in plan(*case)), case


def test_training_ends_with_a_validation():
    for case in CASES:
        chunks = list(plan(*case))
        assert chunks == [] or chunks[-1].validate, case


def validated_after(n_minibatches, max_epochs, validate_every):
    """The numbers of updates at which the plan validates."""
    chunks = plan(n_minibatches, max_epochs, validate_every)
    return [chunk.epoch * n_minibatches + chunk.stop for chunk in chunks if chunk.validate]


def test_without_a_number_validation_comes_at_the_end_of_every_epoch():
    assert validated_after(7, 3, None) == [7, 14, 21]


def test_within_an_epoch_validation_comes_after_every_so_many_updates_and_at_its_end():
    assert validated_after(7, 2, 3) == [3, 6, 7, 10, 13, 14]


def test_a_number_beyond_an_epoch_is_rounded_up_to_whole_epochs_and_the_last_epoch_validates():
    assert validated_after(7, 5, 8) == [14, 28, 35]
    assert validated_after(7, 4, 14) == [14, 28]
