"""From a table to sequences and initial conditions, and from outputs to CSV."""

import re

import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.evaluation.prediction_files import initial_of, outputs_csv, sequences_of
from rnnlab.number_table import read_number_table


def table(text, source="in.csv"):
    return read_number_table(text.splitlines(keepends=True), source, texts=("sequence",))


def test_without_a_column_sequence_all_rows_are_one():
    given = sequences_of(table("u,v\n1,2\n3,4\n"))
    np.testing.assert_array_equal(given.inputs, [[[1, 2], [3, 4]]])
    assert (given.mask, given.names, given.input_names) == (None, None, ("u", "v"))


def test_sequences_are_told_apart_by_name_and_filled_up_to_one_length():
    given = sequences_of(table("u,sequence,v\n1,b,2\n3,b,4\n5,a,6\n7,c,8\n9,c,10\n"))
    np.testing.assert_array_equal(given.inputs, [[[1, 2], [3, 4]], [[5, 6], [0, 0]], [[7, 8], [9, 10]]])
    np.testing.assert_array_equal(given.mask, [[True, True], [True, False], [True, True]])
    assert given.names == ["b", "a", "c"]
    assert given.lengths.tolist() == [2, 1, 2]


def test_sequences_of_one_length_need_no_mask():
    given = sequences_of(table("sequence,u\n1,1\n1,2\n2,3\n2,4\n"))
    assert given.mask is None
    assert given.lengths.tolist() == [2, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sequence,u\na,1\nb,2\na,3\n", "in.csv, line 4: sequence 'a' was there before: the rows of a sequence must"),
        ("sequence,u\na,1\n,2\n", "in.csv, line 3: the row names no sequence"),
    ],
)
def test_rows_that_belong_to_no_sequence_are_refused(text, message):
    with pytest.raises(RnnlabError, match=re.escape(message)):
        sequences_of(table(text))


def test_initial_conditions_come_in_the_order_of_the_sequences():
    given = sequences_of(table("sequence,u\na,1\nb,2\n"))
    np.testing.assert_array_equal(initial_of(table("x,y\n1,2\n3,4\n"), given), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(initial_of(table("sequence,x\na,1\nb,3\n"), given), [[1], [3]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x\n1\n", "start.csv has 1 row: must have one for each of the 2 sequences of the inputs"),
        ("sequence,x\na,1\nc,2\n", "start.csv, line 3: is of sequence 'c', where the inputs have 'b'"),
    ],
)
def test_initial_conditions_of_other_sequences_are_refused(text, message):
    given = sequences_of(table("sequence,u\na,1\nb,2\n"))
    with pytest.raises(RnnlabError, match=re.escape(message)):
        initial_of(table(text, "start.csv"), given)


def test_outputs_are_written_for_each_sequence_to_the_last_bit():
    outputs = np.array([[0.1 + 0.2, 1e-17], [1 / 3, -2e22]])
    text = outputs_csv(outputs, np.array([3, 1]), ["a", "b"], ["y", "z"])
    assert text == "sequence,y,z\na,0.30000000000000004,1e-17\nb,0.3333333333333333,-2e+22\n"


def test_outputs_at_every_step_are_written_for_the_real_steps_only():
    outputs = np.arange(6.0).reshape(2, 3, 1)
    assert outputs_csv(outputs, np.array([3, 1]), ["a", "b"], ["y"]) == (
        "sequence,step,y\na,1,0.0\na,2,1.0\na,3,2.0\nb,1,3.0\n"
    )
    assert outputs_csv(outputs[:1], np.array([2]), None, ["y"]) == "step,y\n1,0.0\n2,1.0\n"
