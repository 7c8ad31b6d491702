"""Runs scripts one after another in one process, as `python SCRIPT ...` would, so that each need not import anew.

Reads from stdin, a line of JSON each: {"argv": [...], "environment": {...}}; answers on stdout with {"code": ...}. What
the scripts print goes to stderr. An exception ends the process, its traceback on stderr.
"""

import json
import os
import runpy
import sys


def run(argv: list[str]) -> int:
    """The exit code of a script, or of `-m MODULE`."""
    sys.argv = argv if argv[0] != "-m" else argv[1:]
    try:
        if argv[0] == "-m":
            runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def main() -> None:
    """Serve until stdin ends."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        step = json.loads(line)
        before = {name: os.environ.get(name) for name in step["environment"]}
        os.environ.update(step["environment"])
        code = run(step["argv"])
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        print(json.dumps({"code": code}), file=answers, flush=True)


if __name__ == "__main__":
    main()
