#!/usr/bin/env python3
"""--max-processes: the call that would make one too many fails with EAGAIN, whichever it is and whatever
became of the others."""

import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from cases import expect_equal, run_cases, wait_for
from machine import Machine
from tool import Tool, line_of, state_of

TOOL = Tool(sandbox.enter())
MACHINE = Machine()
SOURCE = os.path.join(HERE, os.pardir, "programs", "limits", "limits.c")
WAYS = ("fork", "_Fork", "vfork", "forkpty", "clone", "posix_spawn", "popen")


def program(*options):
    path = os.path.abspath("limits")
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-O1", "-o", path, os.path.abspath(SOURCE), "-pthread", *options], check=True)
    return path


def limited(most, *words, **how):
    done = TOOL.run("-q", "--grace", 0, "--max-processes", most, *words, **how)
    MACHINE.clear()
    return done


def test_each_call():
    limits = program()
    for way in WAYS:
        done = limited(5, limits, way, 8)
        expect_equal((done.stdout, done.returncode), ("4 EAGAIN\n", 0), f"{way}: the program counts")
        plain = TOOL.run("-q", "--grace", 0, limits, way, 8)
        MACHINE.clear()
        expect_equal(plain.stdout, "8 -\n", f"{way}: without a limit")
    for most, wanted in ((3, "0 -\n"), (1, "-1 EAGAIN\n")):
        expect_equal(limited(most, limits, "system", 1).stdout, wanted, f"system of {most}")


def test_stack_begins_with_the_call():
    limits = program()
    for way in ("fork", "_Fork", "vfork", "clone"):
        script = f"{limits} {way} 1 stay >out.{way} 2>&1 & until test -s out.{way}; do sleep 0.01; done"
        report, _ = TOOL.report("--grace", 0, "--max-processes", 9, "sh", "-c", script)
        stacks = {stack["id"]: stack["native"][0]["function"] for stack in report["stacks"]}
        made = [stacks[leak["stack"]] for leak in report["leaks"] if leak["stack"] is not None]
        MACHINE.clear()
        expect_equal(way in made, True, f"{way}: the first frame, of {made}")


def test_at_once():
    limits = program()
    for most in (2, 20, 51):
        done = limited(most, limits, "burst", 60)
        expect_equal(done.stdout, f"{most - 1} EAGAIN\n", f"60 threads fork at once, {most} may be")


def test_after_kills():
    """Neither a killed process nor a zombie counts; and nobody is forgotten."""
    done = limited(10, program(), "kill", 12)
    expect_equal(done.stdout, "9 EAGAIN\n" * 20, "each time all places are free again")


def test_without_the_shim():
    """What a static program forks is made by no call of ours; but it counts for the others soon."""
    static = program("-static")
    script = ("import os, subprocess, sys, time\n"
              f"tree = subprocess.Popen(['{static}', 'fork', '3', 'stay'], stdout=subprocess.PIPE)\n"
              "os.read(tree.stdout.fileno(), 10)\n"
              "deadline = time.monotonic() + 20\n"
              "while time.monotonic() < deadline:\n"
              "    try:\n"
              "        pid = os.fork()\n"
              "    except BlockingIOError:\n"
              "        sys.exit(7)\n"
              "    if pid == 0: os._exit(0)\n"
              "    os.waitpid(pid, 0)\n"
              "    time.sleep(0.01)\n")
    # Who is left over has its output.
    done = limited(5, "/usr/bin/python3", "-c", script, capture_output=False, stdout=subprocess.DEVNULL)
    expect_equal(done.returncode, 7, "two and three are five")


def test_stopped():
    """The launcher looks about every now and then, but not while its program is stopped and so is it."""
    run = TOOL.start("-q", "--max-processes", 5, "sh", "-c", "echo $$ >pid; exec sleep 1000")
    pid = int(line_of("pid", "it runs"))
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: state_of(run.pid)[0] == "T", "leftover stops, too")
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        expect_equal(state_of(run.pid)[0], "T", "and stays stopped")
    os.kill(run.pid, signal.SIGCONT)
    wait_for(lambda: state_of(pid)[0] == "S", "both go on")
    run.terminate()
    expect_equal(run.wait(), -signal.SIGTERM, "end")


def test_options():
    for number in ("0", "-1", "x", "99999999"):
        done = TOOL.run("--max-processes", number, "true")
        expect_equal((done.returncode, len(done.stderr.splitlines())), (125, 1), number)
    expect_equal(TOOL.run("--max-processes", 1, "true").returncode, 0, "one is enough for one")


run_cases(globals())
