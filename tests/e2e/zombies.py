#!/usr/bin/env python3
# ctest: timeout=120
"""Children that nobody waits for: said once, in both reports, and without a record that grows."""

import glob
import json
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect, expect_equal, run_cases
from tool import Tool

TOOL = Tool(BUILD)
SHIM = os.path.join(BUILD, "libleftover.so")
SOURCES = os.path.abspath(os.path.join(HERE, os.pardir, os.pardir))


def build(source, name):
    program = os.path.abspath(name)
    subprocess.run(["gcc", "-g", "-O1", "-D_GNU_SOURCE", "-o", program, os.path.join(SOURCES, source)], check=True)
    return program


def zombies_in(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    expect(all(leak["kind"] == "zombie" for leak in report["leaks"]), "only zombies", report["leaks"])
    return report, sorted((leak["name"], leak["severity"], leak["details"]["state"]) for leak in report["leaks"])


WANTED = sorted([("zombies", "warning", "zombie")] * 2 + [("sh", "warning", "zombie"), ("true", "warning", "zombie")])


def test_under_run():
    program = build("samples/zombies.c", "zombies")
    subprocess.run(TOOL.words("-o", "report.json", program), check=True, capture_output=True)
    report, found = zombies_in("report.json")
    expect_equal(found, WANTED, "zombies")
    statuses = {process["pid"]: process["exit"] for process in report["processes"]}
    told = sorted(statuses[leak["details"]["pid"]]["code"] for leak in report["leaks"])
    expect_equal(told, [0, 0, 3, 7], "how they ended")


def test_by_hand():
    program = build("samples/zombies.c", "zombies")
    environment = dict(os.environ, LD_PRELOAD=SHIM, LEFTOVER_OPTIONS="report=hand.json")
    subprocess.run([program], env=environment, check=True, capture_output=True)
    expect_equal(zombies_in("hand.json")[1], WANTED, "zombies")
    # A parent that is told to end has an end as well.
    environment["LEFTOVER_OPTIONS"] = "report=none.json:kinds=-zombie"
    subprocess.run([program], env=environment, check=True, capture_output=True)
    expect(not os.path.exists("none.json"), "nothing is said of a kind that is left out")


def test_they_count():
    """They are warnings: a gate that asks for these fails."""
    program = build("samples/zombies.c", "zombies")
    for severity, status in (("warning", 23), ("error", 0)):
        done = subprocess.run(TOOL.words("-q", "--gate", "--fail-on", severity, program), capture_output=True, check=False)
        expect_equal(done.returncode, status, severity)


def test_a_server_that_ignores_them():
    """Its record holds the children that live, and not all that ever did."""
    program = build("tests/programs/ends/ignores_children.c", "server")
    sizes = []
    state = os.path.abspath("state")
    environment = dict(os.environ, LEFTOVER_STATE_DIR=state)
    for children in ("50", "3000"):
        with subprocess.Popen(TOOL.words("-o", "report.json", program, children), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, env=environment) as server:
            expect_equal(server.stdout.readline(), b"served\n", "its word")
            records = glob.glob(os.path.join(state, "**", "*.record"), recursive=True)
            expect(records, "there is a record", state)
            sizes.append(max(map(os.path.getsize, records)))
            server.stdin.close()
            server.wait()
        expect_equal(zombies_in("report.json")[1], [], "leaks")
    expect(sizes[1] < sizes[0] + 65536, "its record stays as large as it is", sizes)


run_cases({name: thing for name, thing in globals().items() if name.startswith("test_")})
