#!/usr/bin/env python3
# ctest: timeout=600
"""Threads that create while another forks, and Python's GIL against a C lock: nothing hangs."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from scale import SCALE

BUILD = sandbox.enter()

from cases import Failure, expect, expect_equal, run_cases
from machine import Machine, shared_names
from pythons import name_of, pythons
from samples import function_of, user_frame
from tool import Tool

TOOL = Tool(BUILD)
SHIM = os.path.join(BUILD, "libleftover.so")
SOURCES = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "races"))
FORKS = max(10, int(500 * SCALE))
CALLS = max(10, int(300 * SCALE))
MACHINE = Machine()


def compiled(name, *options):
    program = os.path.join("/tmp/work", name)
    if not os.path.exists(program):
        subprocess.run(["gcc", "-O1", "-g", "-D_GNU_SOURCE", "-o", program, *options, "-pthread", "-lrt"],
                       check=True)
    return program


def or_hangs(run, what):
    try:
        return run()
    except subprocess.TimeoutExpired as error:
        raise Failure(f"{what}: hangs") from error


def fork_race():
    source = os.path.join(SOURCES, "fork_race.c")
    return source, compiled("fork_race", source)


def test_forks_beside_creators():
    source, program = fork_race()
    try:
        report, done = or_hangs(lambda: TOOL.report(program, FORKS, timeout=60 + FORKS / 20), "under run")
        expect_equal((done.returncode, done.stdout, done.stderr), (0, f"{FORKS}\n", ""), "status and output")
        leaks = [leak for leak in report["leaks"] if leak["severity"] == "error"]
        expect_equal(sorted(leak["name"] for leak in leaks), sorted("/" + name for name in shared_names()),
                     "the report is /dev/shm")
        expect_equal(len(leaks), FORKS, "one for each child")
        expect_equal(len({leak["pid"] for leak in leaks}), FORKS, "created by the children")
        functions = {function_of(user_frame(report, leak, source)) for leak in leaks}
        # A child that was forked without the lock of the unwinder has no stack; that is rare.
        expect("leave_in_child" in functions and functions <= {"leave_in_child", None}, "functions", functions)
        without = sum(leak["stack"] is None for leak in leaks)
        expect(without * 20 <= FORKS, "hardly any without a stack", without)
        expect_equal(report["session"]["complete"], True, "complete")
    finally:
        MACHINE.clear()


def test_forks_beside_creators_by_hand():
    _, program = fork_race()
    try:
        environment = dict(os.environ, LD_PRELOAD=SHIM, LEFTOVER_OPTIONS="report=hand.json")
        done = or_hangs(lambda: subprocess.run([program, str(FORKS)], env=environment, stdin=subprocess.DEVNULL,
                                               capture_output=True, text=True, timeout=60 + FORKS / 20,
                                               check=False), "by hand")
        expect_equal((done.returncode, done.stdout, done.stderr), (0, f"{FORKS}\n", ""), "status and output")
    finally:
        MACHINE.clear()


def gil(python):
    def case():
        library = compiled("liblocked.so", os.path.join(SOURCES, "locked.c"), "-shared", "-fPIC")
        words = [python, os.path.join(SOURCES, "gil_lock.py"), library, str(CALLS)]
        plain = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                               check=False)
        if "ctypes" in plain.stderr:
            print("  no ctypes here")
            return
        try:
            report, done = or_hangs(lambda: TOOL.report(*words, timeout=60), "under run")
            expect_equal((done.returncode, done.stdout, done.stderr),
                         (plain.returncode, plain.stdout, plain.stderr), "status and output")
            expect_equal(plain.stdout, f"{CALLS} of {CALLS}\n", "it works by itself")
            expect_equal(report["summary"]["leaks"], 0, "no leak")
        finally:
            MACHINE.clear()
    return case


cases = {name: thing for name, thing in globals().items() if name.startswith("test_")}
for path, version in pythons(since=(2, 7)):
    cases[f"test_gil_{name_of(path, version)}"] = gil(path)
run_cases(cases)
