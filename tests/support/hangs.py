"""What `leftover dump` and `run --timeout` tell, for test scripts."""

import json
import os
import subprocess

from cases import Failure, expect_equal, wait_for

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "programs", "hang")


def compile_program(name):
    """Of tests/programs/hang, into the working folder."""
    path = os.path.abspath(name)
    subprocess.run(["cc", "-g", "-O1", "-pthread", os.path.join(PROGRAMS, name + ".c"), "-o", path, "-lrt"], check=True)
    return path


def line_with(name, text):
    """The number of the line of a program that holds a text."""
    with open(os.path.join(PROGRAMS, name), encoding="utf-8") as source:
        return next(number for number, line in enumerate(source, 1) if text in line)


def dump_words(tool, target, *options):
    done = subprocess.run([tool.path, "dump", str(target), *options], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)
    expect_equal((done.returncode, done.stderr), (0, ""), f"dump {target}")
    return done.stdout


def dump(tool, target):
    return json.loads(dump_words(tool, target, "--format", "json"))


def threads_of(report, pid=None):
    return [thread for process in report["hang"]["processes"] if pid in (None, process["pid"])
            for thread in process["threads"]]


def thread_named(report, name, pid=None):
    found = [thread for thread in threads_of(report, pid) if thread["name"] == name]
    expect_equal(len(found), 1, f"threads named {name}")
    return found[0]


def functions_of(thread):
    """[(function, line)] of its Python frames, innermost first."""
    return [(frame["function"], frame["line"]) for frame in thread["python"]]


def dump_until(tool, target, holds):
    """Dumps until `holds(report)` is true, and returns that report."""
    last = []

    def look():
        last[:] = [dump(tool, target)]
        return last[0] if holds(last[0]) else None
    try:
        return wait_for(look, "the program hangs")
    except Failure as failure:
        waits = [(thread["tid"], thread["waiting_on"]) for thread in threads_of(last[0])] if last else None
        raise Failure(f"{failure} | {waits}") from None
