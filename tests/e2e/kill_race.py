#!/usr/bin/env python3
# ctest: timeout=600
"""Eight threads that create and remove names, killed at a random instant: the report is /dev/shm."""

import json
import os
import random
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from scale import SCALE

BUILD = sandbox.enter()

from cases import Failure, expect, expect_equal, run_cases
from machine import Machine, shared_names
from tool import Tool, line_of

TOOL = Tool(BUILD)
ROUNDS = max(1, int(10 * SCALE))
SOURCE = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "races", "kill_race.c"))
PROGRAM = os.path.abspath("kill_race")
MACHINE = Machine()


def path_of(leak):
    path = leak["details"]["path"]
    expect(path.startswith("/dev/shm/"), "a name in /dev/shm", leak)
    return path[len("/dev/shm/"):]


def kill_once(chance, words):
    """What the machine and the report say; the killed process or all of leftover with it."""
    MACHINE.clear()
    for file in ("pid", "report.json"):
        if os.path.exists(file):
            os.unlink(file)
    run = subprocess.Popen(TOOL.words("-o", "report.json", PROGRAM, "pid", *words), stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        main = int(line_of("pid", "its threads have begun"))
        until = time.monotonic() + chance.uniform(0, 0.02)
        while time.monotonic() < until:
            pass
        os.kill(main, signal.SIGKILL)
        _, errors = run.communicate(timeout=60)
    finally:
        if run.poll() is None:
            run.kill()
            run.wait()
    expect_equal((run.returncode, errors), (-signal.SIGKILL, ""), "status and standard error")
    with open("report.json", encoding="utf-8") as file:
        report = json.load(file)
    there = shared_names()
    leaks = [leak for leak in report["leaks"] if leak["kind"] in ("semaphore", "shared_memory")
             and leak["severity"] == "error"]
    expect_equal(sorted(path_of(leak) for leak in leaks), there, "the report is /dev/shm")
    # Threads were running, and a descriptor may have been open, when the kill came.
    others = [(leak["kind"], leak["name"], leak["details"]) for leak in report["leaks"]
              if leak not in leaks and leak["kind"] not in ("thread", "detached_thread", "file_descriptor")]
    expect_equal(others, [], "nothing else")
    for leak in leaks:
        expect_equal(leak["pid"], main, "its creator")
        expect(leak["stack"] is not None, "it has a stack", leak)
    return there


def kill_often(*words):
    left = half_made = 0
    seed = int.from_bytes(os.urandom(4), "little")
    chance = random.Random(seed)
    for number in range(ROUNDS):
        try:
            there = kill_once(chance, words)
        except Failure:
            print(f"  round {number + 1} of {ROUNDS}, seed {seed}")
            raise
        left += len(there)
        half_made += sum(name.startswith("sem.") and not name.startswith("sem.race-") for name in there)
    print(f"  {ROUNDS} rounds, {left} names left, {half_made} of them half-made semaphores")
    expect(left > 0, "some names were left at all")
    MACHINE.clear()


def test_semaphores_and_memory():
    kill_often()


def test_files_as_well():
    kill_often("files")


subprocess.run(["gcc", "-O1", "-g", "-D_GNU_SOURCE", "-o", PROGRAM, SOURCE, "-pthread", "-lrt"], check=True)
run_cases(globals())
