#!/usr/bin/env python3
# ctest: timeout=300
"""A C++ program that leaves a known number of each core kind by every call, however it ends."""

import collections
import json
import os
import re
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect, expect_equal, run_cases
from machine import Machine
from samples import difference, function_of, user_frame
from tool import Tool, line_of

TOOL = Tool(BUILD)
SHIM = os.path.join(BUILD, "libleftover.so")
SOURCE = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "ends", "ends.cpp"))
PROGRAM = os.path.abspath("ends")
MACHINE = Machine()

WAYS = {"return": 7, "exit": 7, "_exit": 7, "quick_exit": 7, "abort": -signal.SIGABRT, "SEGV": -signal.SIGSEGV,
        "TERM": -signal.SIGTERM, "KILL": -signal.SIGKILL}

# In the words of the source: kind and severity.
KINDS = {"finished": ("thread", "warning"), "running": ("thread", "note"), "detached": ("detached_thread", "note")}
CORE = {"process", "semaphore", "shared_memory", "thread", "detached_thread"}


def wanted_leaks():
    """Counter of (kind, severity, function, line), read from the source."""
    wanted = collections.Counter()
    function = None
    with open(SOURCE, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            begin = re.match(r"LEAVES (\w+)\(\) \{  // (\w+) (\d+)", text)
            if begin:
                function, kind, count = begin.groups()
            if text.rstrip().endswith("// here"):
                wanted[KINDS.get(kind, (kind, "error")) + (function, number)] += int(count)
    return wanted


WANTED = wanted_leaks()


def compile_it():
    subprocess.run(["g++", "-std=c++20", "-g", "-O1", "-o", PROGRAM, SOURCE, "-pthread", "-lutil", "-lrt"], check=True)


def found_leaks(report):
    found = collections.Counter()
    for leak in report["leaks"]:
        if leak["details"].get("attribution") == "window" or leak["kind"] not in CORE:
            continue
        frame = user_frame(report, leak, SOURCE, "native")
        function = function_of(frame)
        found[leak["kind"], leak["severity"], function and function.split("::")[-1],
              frame and frame["line"]] += 1
    return found


def expect_all(report, what):
    found = found_leaks(report)
    expect(found == WANTED, f"{what}: " + difference(found, WANTED))
    living = sorted(leak["details"]["pid"] for leak in report["leaks"] if leak["kind"] == "process")
    expect_equal(living, sorted(MACHINE.new_processes()), f"{what}: its processes are those that live")


def run(words, **how):
    with open("out", "w+b") as out, open("err", "w+b") as err:
        status = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=60, check=False,
                                **how).returncode
        out.seek(0)
        err.seek(0)
        return status, out.read(), err.read()


def under_run(way):
    def case():
        try:
            seen = run(TOOL.words("-o", "report.json", "--grace", "0.5", PROGRAM, way, "pid"))
            expect_equal(seen, (WAYS[way], b"ready\n", b""), "status, output, errors")
            with open("report.json", encoding="utf-8") as file:
                report = json.load(file)
            # A killed process's threads died with it: nobody could have joined them.
            expect_all(report, "under run")
            ends = {"code": 7} if WAYS[way] == 7 else {"signal": signal.Signals(-WAYS[way]).name}
            expect_equal(report["session"]["exit"], ends, "the session's end")
            expect_equal(report["session"]["complete"], True, "complete")
        finally:
            MACHINE.clear()
    return case


def by_hand(way):
    """Its own report, read through `leftover report`, which finds the functions."""
    def case():
        try:
            environment = dict(os.environ, LD_PRELOAD=SHIM,
                               LEFTOVER_OPTIONS=f"report={os.getcwd()}/%p.json:grace=0.5")
            seen = run([PROGRAM, way, "pid"], env=environment)
            expect_equal(seen, (WAYS[way], b"ready\n", b""), "status, output, errors")
            main = int(line_of("pid", "its pid"))
            expect(os.path.exists(f"{main}.json"), "the root's report", sorted(os.listdir(".")))
            done = subprocess.run([TOOL.path, "report", f"{main}.json", "--format", "json", "-o", "report.json"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            expect_equal((done.returncode, done.stderr), (0, ""), "leftover report")
            with open("report.json", encoding="utf-8") as file:
                report = json.load(file)
            expect_all(report, "by hand")
        finally:
            MACHINE.clear()
    return case


compile_it()
cases = {}
for way in WAYS:
    cases[f"test_run_{way}"] = under_run(way)
for way in WAYS:
    if way != "KILL":
        cases[f"test_by_hand_{way}"] = by_hand(way)
run_cases(cases)
