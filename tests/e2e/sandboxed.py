#!/usr/bin/env python3
# ctest: timeout=120
"""Programs that forbid themselves system calls (seccomp): none of the shim's ever counts for one of theirs."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect_equal, run_cases
from tool import Tool

TOOL = Tool(BUILD)
SHIM = os.path.join(BUILD, "libleftover.so")
SOURCE = os.path.join(HERE, os.pardir, "programs", "sandboxed", "sandboxed.c")
# What is left, and whether the process that is in the sandbox can tell of it by hand.
HOWS = {"strict": (["/before"], False), "kill": (["/before"], False), "trap": (["/before"], False),
        "refuse": (["/before"], False), "mild": (["/before", "/behind"], True)}


def build():
    if not os.path.exists("sandboxed"):
        subprocess.run(["gcc", "-O1", "-D_GNU_SOURCE", "-o", "sandboxed", SOURCE], check=True)
    return os.path.abspath("sandboxed")


def run(words, environment=None):
    done = subprocess.run(words, capture_output=True, env=environment)
    for name in os.listdir("/dev/shm"):
        os.unlink(os.path.join("/dev/shm", name))
    return done.returncode, done.stdout, done.stderr


def names_in(path):
    with open(path, encoding="utf-8") as file:
        return sorted(leak["name"] for leak in json.load(file)["leaks"])


def compare(how, end):
    program = build()
    plain = run([program, how, end])
    under = run(TOOL.words("-q", "-o", "run.json", program, how, end))
    expect_equal(under, plain, "below leftover run")
    expect_equal(names_in("run.json"), HOWS[how][0], "what is left")
    report = os.path.abspath("hand.json")
    if os.path.exists(report):
        os.unlink(report)
    by_hand = run([program, how, end],
                  dict(os.environ, LD_PRELOAD=SHIM, LEFTOVER_OPTIONS=f"grace=0:report={report}"))
    expect_equal(by_hand, plain, "by hand")
    if HOWS[how][1]:
        expect_equal(names_in(report), HOWS[how][0], "by hand, what is left")


def case(how, end):
    def test():
        compare(how, end)
    test.__name__ = f"test_{how}_{end}"
    return test


for _how in HOWS:
    for _end in ["exit"] if _how == "strict" else ["exit", "_exit", "TERM"]:
        globals()[f"test_{_how}_{_end}"] = case(_how, _end)

run_cases(globals())
