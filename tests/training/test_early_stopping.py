import math

import pytest

from rnnlab.training.early_stopping import EarlyStopping, StoppingRule


def stopping(rule="patience", **changes):
    settings = {
        "patience": 2,
        "min_delta": 0.0,
        "patience_updates": 10,
        "patience_increase": 2.0,
        "improvement_threshold": 0.9,
    }
    return EarlyStopping(StoppingRule(rule, **(settings | changes)))


def feed(stopping, losses, every=1):
    """Observe the losses at updates 0, `every`, 2 `every`, ... (an epoch each) until the patience runs out; returns
    the update at which it does, or None."""
    for epoch, loss in enumerate(losses):
        stopping.observe(epoch * every, epoch, loss)
        if stopping.exhausted(epoch * every):
            return epoch * every
    return None


def test_patience_stops_after_that_many_validations_in_a_row_without_improvement():
    # 0.9 at update 1 is the last improvement; 1.0 and 0.95 are the two validations waited for.
    state = stopping()
    assert feed(state, [1.0, 0.9, 1.0, 0.95, 0.1]) == 3
    assert (state.best_loss, state.best_update, state.best_epoch, state.waited) == (0.9, 1, 1, 2)


def test_an_improvement_starts_the_waiting_anew():
    # One validation is waited at update 2, then 0.8 improves; 0.8 again at update 4 does not.
    assert feed(stopping(), [1.0, 0.9, 1.0, 0.8, 0.8, 0.85]) == 5


def test_min_delta_asks_for_more_than_that_much_below_the_last_counted_improvement():
    # Against the reference 1.0, the losses 0.875 and 0.75 are not lower by more than 0.25. Small steps add up, since
    # the reference stays at 1.0: 0.625 counts. The best weights are those of the lowest loss all the same.
    assert feed(stopping(min_delta=0.25), [1.0, 0.875, 0.75]) == 2
    state = stopping(min_delta=0.25)
    assert feed(state, [1.0, 0.875, 0.625, 0.5, 0.4375]) == 4
    assert state.reference_loss == 0.625
    assert (state.best_loss, state.best_update) == (0.4375, 4)


def test_every_lower_loss_is_the_best_and_is_noted_as_an_improvement():
    state = stopping(min_delta=10.0)
    assert [state.observe(update, 0, loss) for update, loss in ((0, 3.0), (5, 4.0), (9, 2.0))] == [True, False, True]
    assert state.improvements == [
        {"update": 0, "epoch": 0, "valid_loss": 3.0},
        {"update": 9, "epoch": 0, "valid_loss": 2.0},
    ]


@pytest.mark.parametrize("rule", ["patience", "lisa", "none"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_and_infinity_are_never_best(rule, bad):
    state = stopping(rule)
    assert not state.observe(0, 0, bad)
    assert state.best_loss == math.inf
    assert state.improvements == []
    assert state.observe(1, 1, 0.5)
    assert not state.observe(2, 2, bad)
    assert (state.best_loss, state.best_update) == (0.5, 1)
    assert state.waited == 1


def test_an_equal_loss_is_not_better():
    state = stopping()
    assert state.observe(0, 0, 1.0)
    assert not state.observe(1, 1, 1.0)


def test_lisa_makes_its_first_updates_whatever_the_losses():
    # The patience is 10 updates, validation comes every 4, so that 12 is the first validation at or above 10.
    assert feed(stopping("lisa"), [1.0, 2.0, 3.0, 4.0, 5.0], every=4) == 12
    assert feed(stopping("lisa"), [1.0, 2.0, 3.0], every=5) == 10


def test_lisa_raises_its_patience_to_twice_the_updates_made_at_a_clear_improvement():
    # update 4: 0.95 is not below 0.9 * 1.0, the patience stays at 10 (though 0.95 becomes the best)
    # update 8: 0.85 is below 0.9 * 0.95 = 0.855, the patience becomes max(10, 2 * 8) = 16
    # update 12: 0.8 is not below 0.9 * 0.85 = 0.765
    # update 16: the patience of 16 updates has run out
    state = stopping("lisa")
    assert feed(state, [1.0, 0.95, 0.85, 0.8, 0.81, 0.1], every=4) == 16
    assert state.patience_updates == 16
    assert (state.best_loss, state.best_update) == (0.8, 12)


def test_lisa_patience_is_never_lowered():
    # 2 * 4 = 8 is less than the 10 updates to be made in any case.
    state = stopping("lisa")
    feed(state, [1.0, 0.5], every=4)
    assert state.patience_updates == 10


def test_rule_none_never_stops_but_knows_the_best():
    state = stopping("none")
    assert feed(state, [1.0, 0.5] + [2.0] * 100) is None
    assert state.best_update == 1


def test_reasons_name_the_numbers():
    state = stopping(min_delta=0.25)
    feed(state, [1.0, 0.875, 0.9])
    assert (
        state.explain(2)
        == "no validation loss below 1 by more than 0.25 in 2 validations; the best was 0.875 at update 1"
    )
    state = stopping("lisa")
    feed(state, [1.0, 2.0, 3.0, 4.0], every=4)
    assert state.explain(12) == (
        "the patience of 10 updates ran out at update 12; the best validation loss was 1 at update 0"
    )
