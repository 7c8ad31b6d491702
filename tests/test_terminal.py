import logging

from rnnlab.sweep.display import Display
from rnnlab.sweep.plan import Plan
from rnnlab.terminal import one_line, visible
from rnnlab.tracking.experiment import _logger


def test_what_a_terminal_would_obey_is_written_out_and_the_rest_stays():
    assert visible("a\x1b[31mb\r\x9bc\u202ed\ud800") == "a\\x1b[31mb\\r\\x9bc\\u202ed\\ud800"
    assert visible("é\tü\n[red]x[/red]") == "é\tü\n[red]x[/red]"
    assert one_line(" a\n\n b\x07 ") == "a b\\x07"


def test_a_logged_line_cannot_act_on_a_terminal():
    handler = _logger().handlers[0]  # others may be those of the test run
    record = logging.LogRecord("rnnlab", logging.WARNING, "", 0, "the server says %s", ("\x1b]0;title\x07",), None)
    assert handler.format(record) == "WARNING: the server says \\x1b]0;title\\x07"


def test_what_a_sweep_says_cannot_act_on_a_terminal(capsys):
    Display(Plan((), {}, {}, {}, (), {}, 0)).say("other code \x1b[2J[red]x[/red].py")
    assert capsys.readouterr().err == "other code \\x1b[2J[red]x[/red].py\n"
