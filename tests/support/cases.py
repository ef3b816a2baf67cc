"""Cases of a test script: functions named test_*, each run in a folder of its own.

    from cases import expect, run_cases, wait_for
    def test_something(): expect(1 + 1 == 2, "sums")
    run_cases(globals())
"""

import contextlib
import os
import sys
import time
import traceback

PATIENCE = 30  # seconds until something that has to happen counts as not happening


class Failure(Exception):
    pass


def expect(condition, what, *seen):
    """Fails the case; `seen` is shown."""
    if not condition:
        raise Failure(" | ".join([what] + [repr(thing) for thing in seen]))


def expect_equal(got, wanted, what):
    expect(got == wanted, f"{what}: {got!r}, not {wanted!r}")


def wait_for(condition, what, seconds=PATIENCE):
    """Polls until `condition()` is true, and returns what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds} s in vain: {what}")
        time.sleep(0.01)


@contextlib.contextmanager
def changed_environment(**changes):
    """Sets variables for a while; None takes one away."""
    before = dict(os.environ)
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def run_cases(names):
    """Runs them in the order of definition and ends the script: 0, or 1 when one failed. Further
    arguments of the script name the only cases to run."""
    top = os.getcwd()
    wanted = sys.argv[2:]
    failed = 0
    for name, function in list(names.items()):
        if not name.startswith("test_") or (wanted and name not in wanted):
            continue
        folder = os.path.join(top, name)
        os.makedirs(folder)
        os.chdir(folder)
        begin = time.monotonic()
        try:
            function()
            verdict = "ok"
        except Failure as failure:
            failed += 1
            verdict = f"FAILED: {failure}"
        except Exception:  # pylint: disable=broad-except
            failed += 1
            verdict = "FAILED: " + traceback.format_exc()
        print(f"{name}: {verdict} ({time.monotonic() - begin:.2f} s)", flush=True)
    sys.exit(1 if failed else 0)
