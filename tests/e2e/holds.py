#!/usr/bin/env python3
"""What a process that stays behind keeps that others wait for: details.holds."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect, expect_equal, run_cases
from machine import Machine
from tool import Tool

TOOL = Tool(BUILD)
SHIM = os.path.join(BUILD, "libleftover.so")
MACHINE = Machine()

HOLDER = """
import fcntl, os, socket, sys, time
def listen(family, address):
    made = socket.socket(family)
    made.bind(address)
    made.listen()
    return made
kept = [listen(socket.AF_INET, ("127.0.0.1", 0)), listen(socket.AF_INET6, ("::1", 0)),
        listen(socket.AF_INET6, ("::ffff:127.0.0.1", 0)), listen(socket.AF_UNIX, os.path.abspath("so ck")),
        listen(socket.AF_UNIX, "\\0nowhere"), socket.socket(), open("/dev/null"), open("/dev/urandom")]
lock = open("locked", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
with open("ports", "w") as file:
    print(*[one.getsockname()[1] for one in kept[:3]], file=file)
if os.fork() == 0:
    if "quiet" in sys.argv:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2): os.dup2(null, fd)
    time.sleep(60)
"""


def sockets_of():
    with open("ports", encoding="utf-8") as file:
        four, six, mapped = file.read().split()
    return {f"tcp:127.0.0.1:{four}", f"tcp:[::1]:{six}", f"tcp:[::ffff:127.0.0.1]:{mapped}",
            "unix:" + os.path.abspath("so ck"), "unix:@nowhere"}


def holds_of(file):
    with open(file, encoding="utf-8") as text:
        report = json.load(text)
    processes = [leak for leak in report["leaks"] if leak["kind"] == "process"]
    expect_equal(len(processes), 1, "processes left over")
    return processes[0]["details"]["holds"]


def run(words, quiet, **how):
    """With a pipe for standard output and a file for standard error."""
    if os.path.exists("so ck"):
        os.unlink("so ck")
    with open("errors", "wb") as errors:
        run = subprocess.Popen(words + [sys.executable, "-c", HOLDER] + quiet, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=errors, **how)
        expect_equal(run.wait(60), 0, "status")
        run.stdout.close()


def under_run(*quiet):
    try:
        run(TOOL.words("-o", "report.json", "-o", "report.txt", "--grace", "0.1"), list(quiet))
        return holds_of("report.json")
    finally:
        MACHINE.clear()


def by_hand(*quiet):
    try:
        run([], list(quiet), env=dict(os.environ, LD_PRELOAD=SHIM, LEFTOVER_OPTIONS="report=hand.json:grace=0.1"))
        return holds_of("hand.json")
    finally:
        MACHINE.clear()


def test_streams_sockets_and_locks():
    holds = under_run()
    lock = "lock:" + os.path.abspath("locked")
    expect_equal((holds[:2], holds[-1]), (["stdout", "stderr"], lock), "streams and lock")
    expect_equal(set(holds[2:-1]), sockets_of(), "sockets")
    with open("report.txt", encoding="utf-8") as text:
        shown = text.read()
    expect("holds stdout, stderr, tcp:127.0.0.1:" in shown, "the text says so", shown)


def test_of_the_null_device_nobody_waits_for():
    expect_equal([held for held in under_run("quiet") if held.startswith("std")], [], "streams")


def test_by_hand():
    holds = by_hand()
    expect_equal(holds[:2], ["stdout", "stderr"], "streams")
    expect_equal(set(holds[2:]), sockets_of(), "sockets")
    expect_equal([held for held in by_hand("quiet") if held.startswith("std")], [], "streams of a quiet one")


run_cases(globals())
