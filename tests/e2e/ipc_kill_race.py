#!/usr/bin/env python3
# ctest: serial timeout=600
"""Creators of message queues and System V objects, killed: the report is /dev/mqueue and `ipcs`."""

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
from machine import SYSV_FILES, Machine, message_queues, sysv_objects
from tool import Tool, line_of

TOOL = Tool(BUILD)
SHIM = os.path.join(BUILD, "libleftover.so")
ROUNDS = max(1, int(10 * SCALE))
RACES = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "races"))
PROGRAM = os.path.abspath("ipc_race")
KILLER = os.path.abspath("kill_in_call.so")
KINDS = ("message_queue", *SYSV_FILES)
OBJECTS = ["queue"] + [kind + how for kind in ("shm", "sem", "msg") for how in ("", "-private")]
MACHINE = Machine()


def on_machine():
    return sorted([("message_queue", "/" + name) for name in message_queues()] +
                  [(kind, f"id:{number}") for kind, number in sysv_objects()])


def leaks_of(file):
    with open(file, encoding="utf-8") as text:
        report = json.load(text)
    leaks = [leak for leak in report["leaks"] if leak["kind"] in KINDS and leak["severity"] == "error"]
    others = [(leak["kind"], leak["name"], leak["details"]) for leak in report["leaks"]
              if leak not in leaks and leak["kind"] not in ("thread", "detached_thread", "file_descriptor")]
    expect_equal(others, [], "nothing else")
    return leaks


def expect_the_machine(leaks, creator):
    there = on_machine()
    expect_equal(sorted((leak["kind"], leak["name"]) for leak in leaks), there, "the report is the machine")
    for leak in leaks:
        if creator is not None:
            expect_equal(leak["pid"], creator, "its creator")
        expect(leak["stack"] is not None, "it has a stack", leak)
    return there


def kill_once(chance):
    MACHINE.clear()
    for file in ("pid", "report.json"):
        if os.path.exists(file):
            os.unlink(file)
    run = subprocess.Popen(TOOL.words("-o", "report.json", PROGRAM, "pid"), stdin=subprocess.DEVNULL,
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
    return expect_the_machine(leaks_of("report.json"), main)


def test_killed_at_any_instant():
    left = 0
    seed = int.from_bytes(os.urandom(4), "little")
    chance = random.Random(seed)
    for number in range(ROUNDS):
        try:
            left += len(kill_once(chance))
        except Failure:
            print(f"  round {number + 1} of {ROUNDS}, seed {seed}")
            raise
    print(f"  {ROUNDS} rounds, {left} objects left")
    expect(left > 0, "some were left at all")
    MACHINE.clear()


def in_call(when, run):
    """Each kind of object, its creator killed in the call: `run(WHAT, WORDS)` gives the leaks."""
    for what in OBJECTS:
        MACHINE.clear()
        leaks = run(what, ["env", f"KILL_IN_CALL={when}"])
        try:
            there = expect_the_machine(leaks, None)
            expect_equal(len(there), 1 if when == "after" else 0, "objects on the machine")
        except Failure as failure:
            raise Failure(f"{what}, killed {when} it was made: {failure}") from failure
    MACHINE.clear()


def under_run(what, words):
    done = TOOL.run("-o", "report.json", *words, f"LD_PRELOAD={KILLER}", PROGRAM, "-", what)
    expect_equal(done.returncode, -signal.SIGKILL, "status")
    return leaks_of("report.json")


def by_hand(what, words):
    if os.path.exists("hand.json"):
        os.unlink("hand.json")
    line = " ".join(words + [f"LD_PRELOAD='{SHIM} {KILLER}'", PROGRAM, "-", what])
    done = subprocess.run(["sh", "-c", f"{line}; exit 0"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                          check=False, env=dict(os.environ, LD_PRELOAD=SHIM,
                                                LEFTOVER_OPTIONS="report=hand.json:report_always=1:grace=0.1"))
    expect_equal(done.returncode, 0, "status")
    return leaks_of("hand.json")


def test_killed_behind_the_call():
    in_call("after", under_run)


def test_killed_before_the_call():
    in_call("before", under_run)


def test_by_hand_killed_behind_the_call():
    in_call("after", by_hand)


def test_by_hand_killed_before_the_call():
    in_call("before", by_hand)


def test_shared_keys():
    """Processes that race for one key and remove it: the kernel's creator is the one that is blamed."""
    code = ("import ctypes\n"
            "libc = ctypes.CDLL(None)\n"
            "for i in range(300):\n"
            "    id = libc.shmget(0x1e5f3000, 100, 0o1600)\n"
            "    if i < 299: libc.shmctl(id, 0, None)\n")
    with open("race.py", "w", encoding="utf-8") as file:
        file.write(code)
    for _ in range(max(1, int(3 * SCALE))):
        MACHINE.clear()
        words = ["sh", "-c", "for i in 1 2 3 4; do python3 race.py & done; wait"]
        report, done = TOOL.report(*words)
        expect_equal(done.returncode, 0, "status")
        with open("/proc/sysvipc/shm", encoding="utf-8") as text:
            there = [(f"id:{words[1]}", int(words[4])) for words in map(str.split, text.readlines()[1:])]
        expect_equal(sorted((leak["name"], leak["pid"]) for leak in report["leaks"]
                            if leak["kind"] == "sysv_shared_memory"), sorted(there), "ids and creators")
    MACHINE.clear()


subprocess.run(["gcc", "-O1", "-g", "-D_GNU_SOURCE", "-o", PROGRAM, os.path.join(RACES, "ipc_race.c"), "-pthread",
                "-lrt"], check=True)
subprocess.run(["gcc", "-O1", "-g", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", KILLER,
                os.path.join(RACES, "kill_in_call.c"), "-ldl", "-lrt"], check=True)
run_cases(globals())
