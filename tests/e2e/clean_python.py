#!/usr/bin/env python3
# ctest: timeout=600
"""Python multiprocessing jobs, ended in every way there is: with --clean nothing stays and nobody complains;
without, the report says exactly what stays.

A representative part; with LEFTOVER_TEST_SCALE=10 or more every CPython x start method x ending x flags. The
names of cases (test_PYTHON_METHOD) tell the parts of that apart.
"""

import glob
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from scale import SCALE

BUILD = sandbox.enter()

from cases import Failure, expect, expect_equal, run_cases, wait_for
from machine import Machine, shared_names
from pythons import name_of, pythons
from tool import Tool, line_of

TOOL = Tool(BUILD)
JOB = os.path.join(HERE, os.pardir, "programs", "python", "clean_job.py")
METHODS = ("fork", "spawn", "forkserver")
FLAGS = ((), ("-E",), ("-I",), ("-W", "default"))
GRACE = 1
KILL_AFTER = 3
MARGIN = 1  # seconds beyond these two


def to_group(number):
    return lambda leftover, main: os.killpg(leftover.pid, number)


# How each ends, and the status that leftover then has.
BY_SIGNAL = {
    "sigint_group": (to_group(signal.SIGINT), (1, -signal.SIGINT, -signal.SIGKILL)),
    "sigint_leftover": (lambda leftover, main: leftover.send_signal(signal.SIGINT), (-signal.SIGKILL, 1, -signal.SIGINT)),
    "sigterm_main": (lambda leftover, main: os.kill(main, signal.SIGTERM), (-signal.SIGTERM,)),
    "sigkill_main": (lambda leftover, main: os.kill(main, signal.SIGKILL), (-signal.SIGKILL,)),
    "sigterm_leftover": (lambda leftover, main: leftover.send_signal(signal.SIGTERM), (-signal.SIGTERM,)),
    "sigterm_group": (to_group(signal.SIGTERM), (-signal.SIGTERM,)),
}
BY_ITSELF = {"exit": (0,), "exception": (1,), "os_exit": (3,)}
ENDINGS = (*BY_ITSELF, *BY_SIGNAL, "double_ctrl_c")


def things():
    """What is there now that a job may have made, but for processes."""
    made = [path for pattern in ("/tmp/pymp-*", "/tmp/pymp-*/*", "/tmp/tmp*") for path in glob.glob(pattern)]
    return sorted([f"/dev/shm/{name}" for name in shared_names()] + made)


class Run:
    """One job under `leftover run`, to its end."""

    def __init__(self, python, flags, method, ending, *options):
        self.machine = Machine()
        self.ready = os.path.abspath("ready")
        for old in glob.glob("ready*"):
            os.unlink(old)
        self.words = TOOL.words("--grace", GRACE, "--kill-after", KILL_AFTER, *options, python, *flags, JOB,
                                method, ending, self.ready)
        self.ending = ending
        with open("stderr", "wb") as err, open("stdout", "wb") as out:
            if ending == "double_ctrl_c":
                self.at_a_terminal()
            else:
                self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                                start_new_session=True)
                self.end_it()
        self.status = self.process.returncode

    def text(self):
        with open("stderr", encoding="utf-8", errors="replace") as err:
            return err.read()

    def wait(self):
        """Until leftover ends, or, where without --clean Python waits for its workers for ever, is made to."""
        patience = GRACE + KILL_AFTER + 20
        try:
            self.process.wait(timeout=3 if "--clean" not in self.words else patience)
        except subprocess.TimeoutExpired:
            expect("--clean" not in self.words, f"leftover ends within {patience} s")
            os.kill(self.main, signal.SIGKILL)
            self.process.wait(timeout=patience)

    def end_it(self):
        self.main = int(line_of(self.ready, "the job is ready"))
        begin = time.monotonic()
        if self.ending in BY_SIGNAL:
            BY_SIGNAL[self.ending][0](self.process, self.main)
        self.wait()
        self.seconds = time.monotonic() - begin

    def at_a_terminal(self):
        """Its standard streams are a terminal's, and ^C is typed there, twice."""
        control, terminal = pty.openpty()
        self.process = subprocess.Popen(self.words, stdin=terminal, stdout=terminal, stderr=terminal, preexec_fn=own_terminal)
        os.close(terminal)
        self.main = int(line_of(self.ready, "the job is ready"))
        begin = time.monotonic()
        for _ in range(2):
            os.write(control, b"\x03")
            time.sleep(0.05)  # at once they would be one signal
        with open("stderr", "wb") as err:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                readable, _, _ = select.select([control], [], [], 0.1)
                try:
                    data = os.read(control, 65536) if readable else b""
                except OSError:
                    data = b""
                err.write(data)
                if not data and self.process.poll() is not None:
                    break
        self.wait()
        os.close(control)
        self.seconds = time.monotonic() - begin


def own_terminal():
    import fcntl
    import termios
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def statuses(ending):
    if ending in BY_ITSELF:
        return BY_ITSELF[ending]
    return BY_SIGNAL[ending][1] if ending in BY_SIGNAL else (1, -signal.SIGINT, 130)


def check_clean(python, flags, method, ending):
    before = things()
    expect_equal(before, [], "an empty machine")
    run = Run(python, flags, method, ending, "--clean")
    text = run.text()
    expect_equal(run.machine.new_processes(), {}, f"no process; {text[-3000:]}")
    expect_equal(things(), [], f"no name; {text[-3000:]}")
    expect("leaked" not in text, "nobody complains", text)
    expect("Errno 2" not in text, "nothing is removed twice", text)
    expect(run.status in statuses(ending), "the program's own status", run.status, text[-2000:])
    expect(run.seconds < GRACE + KILL_AFTER + MARGIN, "in time", run.seconds, text[-3000:])
    expect(not os.path.isdir(run.machine.state) or os.listdir(run.machine.state) == [], "no record stays",
           os.listdir(run.machine.state), text[-3000:])


def check_report(python, flags, method, ending):
    report_file = os.path.abspath("report.json")
    run = Run(python, flags, method, ending, "-o", report_file)
    there = set(things())
    processes = set(run.machine.new_processes())
    with open(report_file, encoding="utf-8") as file:
        report = json.load(file)
    errors = [leak for leak in report["leaks"] if leak["severity"] == "error"]
    told = {leak["details"]["pid"] for leak in errors if leak["kind"] == "process"}
    # The second ^C ends the grace window, in which some are still about to end.
    expect_equal(told & processes if ending == "double_ctrl_c" else told, processes, f"processes of {told}")
    names = {leak["details"]["path"] for leak in errors if leak["kind"] != "process"}
    expect_equal(names & there if ending == "double_ctrl_c" else names, there, f"names of {names}")
    run.machine.clear()
    subprocess.run("rm -rf /tmp/pymp-* /tmp/tmp*", shell=True, check=True)


def check(kind, python, flags, method, ending):
    what = f"{'clean' if kind is check_clean else 'report'} {python} {' '.join(flags)} {method} {ending}"
    begin = time.monotonic()
    try:
        kind(python, flags, method, ending)
    except Failure as failure:
        raise Failure(f"{what}: {failure}") from failure
    finally:
        Machine.clear(Run_before)
        subprocess.run("rm -rf /tmp/pymp-* /tmp/tmp*", shell=True, check=True)
    print(f"  {what}: {time.monotonic() - begin:.1f} s", flush=True)


Run_before = Machine()


def whole(python, version, method):
    """Every ending; all failures at once."""
    def test():
        failures = []
        for flags in FLAGS:
            for ending in ENDINGS:
                for kind in (check_clean, check_report) if flags == () else (check_clean,):
                    try:
                        check(kind, python, flags, method, ending)
                    except Failure as failure:
                        print(f"  FAILED {failure}", flush=True)
                        failures.append(str(failure)[:200])
        expect(not failures, f"{len(failures)} failed", *failures)
    test.__name__ = f"test_{name_of(python, version)}_{method}"
    return test


def part():
    """Every ending, each time with another Python, method and flags."""
    found = pythons()
    for i, ending in enumerate(ENDINGS):
        python, _ = found[(i + 1) % len(found)]
        check(check_clean, python, FLAGS[i % len(FLAGS)], METHODS[(i + 1) % len(METHODS)], ending)
        if i % 3 == 0:
            check(check_report, python, (), METHODS[(i + 1) % len(METHODS)], ending)


if SCALE >= 10:
    for one in [whole(python, version, method) for python, version in pythons() for method in METHODS]:
        globals()[one.__name__] = one
else:
    test_a_part = part

run_cases(globals())
