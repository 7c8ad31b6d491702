from datetime import UTC, datetime, timedelta

import pytest
from rich.table import Table
from rich.text import Text

from rnnlab.commands.output import age, aligned, duration, one_line, put, put_rich, put_table, visible

HOSTILE = "\x1b]0;title\x07 \x9b31m \u202eabc \ud800 [red]x[/red]\r\b"


def test_what_a_terminal_would_obey_is_written_out_and_the_rest_stays():
    assert visible(HOSTILE) == r"\x1b]0;title\x07 \x9b31m \u202eabc \ud800 [red]x[/red]\r\x08"
    assert visible("two\n\tlines, \u00e9 \u4e16 \U0001f600") == "two\n\tlines, \u00e9 \u4e16 \U0001f600"
    assert one_line("a\nb\x1b") == r"a b\x1b"


def test_no_way_of_printing_lets_it_through(capsys):
    put(HOSTILE)
    put_table([HOSTILE], [[HOSTILE]], [False])
    table = Table()
    table.add_column(Text(HOSTILE))
    table.add_row(Text(HOSTILE))
    put_rich(table)
    printed = capsys.readouterr().out
    assert not set(printed) & set("\x1b\x07\x9b\u202e\ud800\r\b")
    assert "[red]" in printed


def test_a_table_is_aligned_and_cuts_off_what_is_too_long(capsys):
    put_table(["id", "what"], [["1", "x" * 40], ["10", "y\nz"]], [True, False])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["id  what", " 1  " + "x" * 21 + "...", "10  y z"]


def test_numbers_of_a_column_have_equally_many_decimals_unless_that_takes_too_many():
    assert aligned([0.09, 0.0123456, None]) == ["0.09000", "0.01235", ""]
    assert aligned([1.0, 1e-9]) == ["1", "1e-09"]
    assert aligned([1e9, 2.0]) == ["1e+09", "2"]
    assert aligned([0.0]) == ["0.000"] or aligned([0.0]) == ["0"]


@pytest.mark.parametrize(
    ("ago", "words"), [(12, "12 s"), (300, "5 min"), (3 * 3600, "3 h"), (8 * 86400, "8 d"), (-5, "0 s")]
)
def test_an_age_is_short(ago, words):
    assert age(datetime.now(UTC) - timedelta(seconds=ago)) == words


def test_an_old_age_is_a_day():
    assert age(datetime(2024, 5, 1, tzinfo=UTC)) == "2024-05-01"


def test_a_duration_is_in_units_that_suit_it():
    assert [duration(each) for each in (4.213, 185.2, 7800)] == ["4.21 s", "3 min 5 s", "2 h 10 min"]
