"""CSV with numbers: what is read, and the one line that says what is wrong where."""

import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.number_table import read_number_file, read_number_table


def read(text, **options):
    return read_number_table(text.splitlines(keepends=True), "some.csv", **options)


def test_numbers_come_by_column_and_texts_beside_them():
    table = read("a,name,b\n1,x,2.5\n-3e2, y ,.5\n", texts=("name",))
    assert table.names == ("a", "b")
    np.testing.assert_array_equal(table.values, [[1, 2.5], [-300, 0.5]])
    assert (table.texts, table.lines) == ({"name": ["x", "y"]}, [2, 3])


def test_columns_are_chosen_in_the_order_asked_for_whatever_the_others_hold():
    table = read("month,a,b\n1950-01,1,2\n1950-02,3,4\n", columns=["b", "a"])
    np.testing.assert_array_equal(table.values, [[2, 1], [4, 3]])


def test_quotes_spaces_blank_lines_at_the_end_and_windows_line_ends_do_no_harm(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes('\ufeff"a",b\r\n"1", 2\r\n\r\n\r\n'.encode())
    table = read_number_file(path)
    assert table.names == ("a", "b")
    np.testing.assert_array_equal(table.values, [[1, 2]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", "some.csv, line 3: has 1 column, but the header has 2"),
        ("a,b\n1,2,3\n", "some.csv, line 2: has 3 columns, but the header has 2"),
        ("a,b\n1,2\n\n3,4\n", "some.csv, line 3: is empty, but the header has 2"),
        ("a,b\n1,2\n3,\n", "some.csv, line 3, column 2 (b): the value is missing: must be a number"),
        ("a,b\n1,2\n,\n", "some.csv, line 3, column 1 (a): the value is missing: must be a number"),
        ("a\n1\n\n2\n", "some.csv, line 3: is empty, but the header has 1"),
        ("a,b\n1,warm\n", "some.csv, line 2, column 2 (b): 'warm' is not a number"),
        ("a,b\n1,nan\n", "some.csv, line 2, column 2 (b): 'nan': must be a finite number"),
        ("a,b\n-inf,1\n", "some.csv, line 2, column 1 (a): '-inf': must be a finite number"),
        ('a,b\n"1\n",2\n3,x\n', "some.csv, line 4, column 2 (b): 'x' is not a number"),
        ("1,2\n3,4\n", "some.csv, line 1: must be a header line that names the columns, not numbers"),
        ("a,,b\n1,2,3\n", "some.csv, line 1, column 2: has no name"),
        ("a,b,a\n1,2,3\n", "some.csv, line 1, column 3: the name 'a' is there twice"),
        ("a;b\n1;2\n", "some.csv, line 1: 'a;b' is one column: must have commas between the columns"),
        ("a,b\n", "some.csv: has a header and no rows: must have one row of numbers for each step"),
        ("", "some.csv: is empty: must begin with a header line that names the columns"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_line_and_column(text, message):
    with pytest.raises(RnnlabError) as raised:
        read(text)
    assert str(raised.value) == message


def test_another_number_of_columns_than_wanted_is_told_before_what_they_hold():
    message = r"some.csv, line 1: 3 columns of numbers \(month, a, b\): must be 2, one for each input$"
    with pytest.raises(RnnlabError, match=message):
        read("month,a,b\n1950-01,1,2\n", wanted=(2, "one for each input"))
    with pytest.raises(RnnlabError, match=r"line 1: 1 column of numbers \(a\): must be 2"):
        read("sequence,a\nx,1\n", texts=("sequence",), wanted=(2, "one for each input"))


def test_a_chosen_column_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(RnnlabError, match=r"^some.csv has no column 'c'; it has: a, b$"):
        read("a,b\n1,2\n", columns=["a", "c"])


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(RnnlabError, match=r"^cannot read '.*/no.csv': No such file or directory$"):
        read_number_file(tmp_path / "no.csv")
    (tmp_path / "latin.csv").write_bytes("a,b\n1,\xe9\n".encode("latin-1"))
    with pytest.raises(RnnlabError, match=r"latin.csv: is not text in UTF-8: .* at byte 6$"):
        read_number_file(tmp_path / "latin.csv")
