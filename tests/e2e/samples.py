#!/usr/bin/env python3
# ctest: timeout=600
"""Every sample, under leftover: what its first comment says, and its own output and status."""

import glob
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from cases import expect, expect_equal, run_cases
from machine import Machine
from samples import difference, found_in, runs_of
from tool import Tool

BUILD = sandbox.enter()
TOOL = Tool(BUILD)
FOLDER = os.path.abspath(os.path.join(HERE, os.pardir, os.pardir, "samples"))
MACHINE = Machine()


def program_of(source):
    """The words that run a sample."""
    stem, ending = os.path.splitext(os.path.basename(source))
    if ending == ".py":
        return [sys.executable, source]
    built = os.path.join(BUILD, "samples", stem)
    if os.path.exists(built):
        return [built]
    program = os.path.abspath(os.path.join(os.pardir, "bin", stem))
    if not os.path.exists(program):
        os.makedirs(os.path.dirname(program), exist_ok=True)
        compiler = {".c": "gcc", ".cpp": "g++"}[ending]
        subprocess.run([compiler, "-g", "-O1", "-D_GNU_SOURCE", "-o", program, source, "-pthread", "-lrt"],
                       check=True)
    return [program]


def run(words, name):
    """Status and output, in files: what is left behind keeps a pipe open."""
    with open(f"{name}.out", "w+b") as out, open(f"{name}.err", "w+b") as err:
        status = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=60,
                                check=False).returncode
        out.seek(0)
        err.seek(0)
        return status, out.read(), err.read()


def check(source, arguments, wanted):
    words = program_of(source) + arguments
    try:
        plain = run(words, "plain")
        MACHINE.clear()
        watched = run(TOOL.words("-o", "report.json", "--grace", "0.5", *words), "watched")
        expect_equal(watched, plain, "status, output and errors as by itself")
        with open("report.json", encoding="utf-8") as file:
            report = json.load(file)
        found = found_in(report, source, {kind for kind, severity, _ in wanted if severity == "note"})
        expect_equal(report["session"]["complete"], True, "the report is complete")
        expect(found == wanted, difference(found, wanted))
        # Not one more than it says, by its own counts.
        severe = sum(count for (_, severity, _), count in wanted.items() if severity != "note")
        expect_equal(report["summary"]["leaks"], severe, "summary.leaks")
    finally:
        MACHINE.clear()


def case_of(source):
    def case():
        runs = runs_of(source)
        expect(runs, f"{os.path.basename(source)} says what leftover must find")
        for arguments, wanted in runs:
            try:
                check(source, arguments, wanted)
            except Exception:
                print(f"  in: {os.path.basename(source)} {' '.join(arguments)}")
                raise
    return case


def demo():
    """It shows leaks, and nothing of it is left on the machine."""
    MACHINE.clear()
    before = sorted(os.listdir("/dev/shm")), sorted(os.listdir("/tmp"))
    done = subprocess.run([os.path.join(FOLDER, "demo.sh"), BUILD], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=120, check=False)
    expect_equal((done.returncode, done.stderr), (0, ""), done.stdout)
    for words in ("8 semaphores", "5 processes", "in make_locks", "demo.py"):
        expect(words.split("in ")[-1] in done.stdout, words, done.stdout)
    expect_equal((sorted(os.listdir("/dev/shm")), sorted(os.listdir("/tmp"))), before, "names")
    expect_equal(list(MACHINE.new_processes()), [], "processes")


cases = {}
for path in sorted(glob.glob(os.path.join(FOLDER, "*"))):
    name, ending = os.path.splitext(os.path.basename(path))
    if ending in (".c", ".cpp", ".py") and name != "demo":
        cases["test_" + name] = case_of(path)
cases["test_demo"] = demo
run_cases(cases)
