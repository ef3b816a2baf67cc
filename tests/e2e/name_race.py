#!/usr/bin/env python3
# ctest: serial timeout=300
"""Programs that create one name and remove it again, each other's too, as fast as they can: whose the thing is
that is there in the end, its permission bits tell, and nobody else is blamed."""

import glob
import json
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from scale import SCALE

BUILD = sandbox.enter()

from cases import PATIENCE, expect, expect_equal, run_cases
from tool import Tool

TOOL = Tool(BUILD)
ROUNDS = max(2, int(8 * SCALE))
SOURCE = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "races", "name_race.c"))
PROGRAM = os.path.abspath("name_race")
FILES = {"semaphore": "/dev/shm/sem.raced", "memory": "/dev/shm/raced"}
KINDS = {"semaphore": "semaphore", "memory": "shared_memory"}
CHANCE = random.Random()


def run(by_hand, *words):
    """(the index of who made what is there, of who is blamed); None where nothing is, or nobody."""
    for path in glob.glob("/dev/shm/*"):
        os.unlink(path)
    with open("out", "w+", encoding="utf-8") as out:
        command = [PROGRAM, *map(str, words)]
        environment = dict(os.environ)
        if by_hand:
            environment["LD_PRELOAD"] = os.path.join(BUILD, "libleftover.so")
            environment["LEFTOVER_OPTIONS"] = "report=report.json:report_always=1:kinds=semaphore,shared_memory,process"
        else:
            command = TOOL.words("-q", "-o", "report.json", *command)
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=True,
                       env=environment, timeout=PATIENCE * 2)
        out.seek(0)
        index_of = {int(tid): int(index) for index, tid in map(str.split, out)}
    with open("report.json", encoding="utf-8") as file:
        report = json.load(file)
    path = FILES[words[0]]
    truth = None
    if os.path.lexists(path):
        mode = os.stat(path).st_mode
        truth = (mode & 7) | (mode >> 3 & 7) << 3
    blamed = [index_of.get(leak["tid"]) for leak in report["leaks"]
              if leak["kind"] == KINDS[words[0]] and leak["name"] == "/raced"]
    expect(len(blamed) <= 1, "blamed once", blamed)
    return truth, blamed[0] if blamed else None


def count(ends, how, flags=("exclusive", "shared"), by=(False, True)):
    """{what: (how often something was left, how often another was blamed, how often nobody)}"""
    found = {}
    for kind in KINDS:
        for flag in flags:
            for by_hand in by:
                left = wrong = missed = 0
                for _ in range(ROUNDS):
                    truth, blamed = run(by_hand, kind, flag, *how, CHANCE.choice(ends), round(CHANCE.uniform(1, 12), 3))
                    left += truth is not None
                    missed += blamed is None and truth is not None
                    wrong += blamed is not None and blamed != truth
                found[kind, flag, "by hand" if by_hand else "run"] = (left, wrong, missed)
    for what, numbers in found.items():
        print("  " + " ".join([*what, *map(str, how), *ends]) + ": {} left, {} wrong, {} missed".format(*numbers))
    return found


def totals(found):
    return [sum(numbers) for numbers in zip(*found.values())]


def test_two_programs():
    left, wrong, missed = totals(count(("exit", "stop"), (2, 1)))
    expect(left > 0, "something was left")
    expect_equal((wrong, missed), (0, 0), "wrongly blamed, missed")


def test_threads_and_more_programs():
    """Of three, one may be kept from making its file for so long that a second one makes another, and a third
    removes that: all within a tick of the clock of files, nothing tells them apart."""
    for how in ((1, 3), (2, 2), (3, 1)):
        left, wrong, missed = totals(count(("exit", "stop"), how, by=(CHANCE.random() < 0.5,)))
        expect_equal(missed, 0, "missed")
        expect(wrong <= max(2, left // 3), "wrongly blamed", wrong, left)


def test_killed_within_their_calls():
    """Whose call has made it, nobody learnt; it is one of those that were at it."""
    left, wrong, missed = totals(count(("kill",), (2, 1)))
    expect(left > 0, "something was left")
    expect_equal(missed, 0, "missed")
    expect(wrong <= max(3, left // 2), "wrongly blamed", wrong, left)


subprocess.run(["gcc", "-O1", "-g", "-o", PROGRAM, SOURCE, "-pthread", "-lrt"], check=True)
run_cases(globals())
