#!/usr/bin/env python3
# ctest: timeout=300
"""Each hooked call, its success and its failures, with and without leftover: same output, same end.

The programs name what they call in lines `// calls: NAME...`; a hook that none of them names fails.
"""

import difflib
import glob
import os
import re
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
SOURCES = sorted(glob.glob(os.path.join(os.path.abspath(HERE), os.pardir, "programs", "calls", "*.c")))
MACHINE = Machine()


def calls_of(source):
    with open(source, encoding="utf-8") as file:
        return {name for line in re.findall(r"^// calls: (.+)$", file.read(), re.MULTILINE) for name in line.split()}


def exported():
    lines = subprocess.run(["nm", "-D", "--defined-only", SHIM], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return {line.split()[-1].split("@")[0] for line in lines if line.split()[-2] != "A"}  # a version's name


def test_every_call_has_a_program():
    told = set().union(*map(calls_of, SOURCES))
    missing = {name for name in exported() - told if not name.startswith("leftover_")}
    expect_equal(sorted(missing), [], "hooked, and in no program of tests/programs/calls")


def test_the_programs_call_what_they_say():
    for source in SOURCES:
        with open(source, encoding="utf-8") as file:
            text = re.sub(r"^// calls: .*$", "", file.read(), flags=re.MULTILINE)
        for name in calls_of(source):
            expect(re.search(rf"\b{name}\b", text), f"{os.path.basename(source)} calls {name}")


def test_what_old_versions_make():
    """It is recorded like what those of today make."""
    source = next(source for source in SOURCES if source.endswith("old_versions.c"))
    subprocess.run(["gcc", "-g", "-w", "-D_GNU_SOURCE", "-o", "old", source, "-pthread"], check=True)
    report, _ = TOOL.report("--grace", "0.1", os.path.abspath("old"), "leave")
    MACHINE.clear()
    if os.uname().machine == "x86_64":
        expect_equal(sorted((leak["kind"], leak["name"]) for leak in report["leaks"] if leak["severity"] == "error"),
                     [("semaphore", "/old"), ("shared_memory", "/old")], "leaks")
        shells = [process for process in report["processes"] if process["command"][1:] == ["./script", "runs"]]
        expect_equal([process["exit"] for process in shells], [{"code": 5}] * 2, "what the older posix_spawn runs")
        counts = report["processes"][0]["counts"]
        expect_equal((counts["thread"]["created"], counts["timer"]["created"]), (2, 1), "threads, timers")


def run(words, folder, **how):
    """Status, output and errors, in a folder of its own; files, for who outlives the program."""
    os.makedirs(folder)
    with open(folder + ".out", "w+b") as out, open(folder + ".err", "w+b") as err:
        status = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=60,
                                check=False, **how).returncode
        MACHINE.clear()
        out.seek(0)
        err.seek(0)
        return status, out.read().decode(errors="replace"), err.read().decode(errors="replace")


def compare(seen, plain, what):
    lines = difflib.unified_diff(plain[1].splitlines(), seen[1].splitlines(), "by itself", what, lineterm="", n=0)
    expect(seen[1] == plain[1], f"{what}, output:\n" + "\n".join(list(lines)[:40]))
    expect_equal(seen[2], plain[2], f"{what}, standard error")
    expect_equal(seen[0], plain[0], f"{what}, status")


def case_of(source):
    def case():
        program = os.path.abspath("program")
        subprocess.run(["gcc", "-O1", "-g", "-w", "-D_GNU_SOURCE", "-o", program, source, "-pthread", "-lrt",
                        "-lutil", "-ldl"], check=True)
        plain = run([program], "plain")
        again = run([program], "again")
        expect_equal(again, plain, "it says the same twice")
        expect(plain[1].count("\n") > 3, "it says something", plain)
        compare(run(TOOL.words("-o", "/tmp/report.json", "--grace", "0.1", program), "watched"), plain, "under run")
        environment = dict(os.environ, LD_PRELOAD=SHIM, LEFTOVER_OPTIONS="report=/tmp/hand/x-%p.json:grace=0.1")
        compare(run([program], "by-hand", env=environment), plain, "by hand")
    return case


cases = {name: thing for name, thing in globals().items() if name.startswith("test_")}
for path in SOURCES:
    cases["test_" + os.path.splitext(os.path.basename(path))[0]] = case_of(path)
run_cases(cases)
