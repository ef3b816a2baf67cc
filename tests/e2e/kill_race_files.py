#!/usr/bin/env python3
# ctest: timeout=600
"""Threads that create and remove temporary files, folders and sockets, killed at a random instant: the
report is what the folder holds."""

import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from scale import SCALE

BUILD = sandbox.enter()

from cases import Failure, expect, expect_equal, run_cases
from machine import Machine
from tool import Tool, line_of

TOOL = Tool(BUILD)
SHIM = os.path.join(BUILD, "libleftover.so")
ROUNDS = max(1, int(20 * SCALE))
SOURCE = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "races", "kill_race_files.c"))
PROGRAM = os.path.abspath("kill_race_files")
MACHINE = Machine()
KINDS = {stat.S_IFREG: "temporary_file", stat.S_IFDIR: "temporary_directory", stat.S_IFSOCK: "socket_file"}


def held(folder):
    """What the folder holds: but for the files that the program gave a name of its own."""
    found = []
    for entry in os.scandir(folder):
        if not entry.name.startswith("own-"):
            found.append((KINDS[stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)], entry.path))
    return sorted(found)


def kill_once(chance):
    folder = os.path.abspath("folder")
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for file in ("pid", "report.json"):
        if os.path.exists(file):
            os.unlink(file)
    run = subprocess.Popen(TOOL.words("-o", "report.json", PROGRAM, os.path.abspath("pid"), folder),
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
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
    there = held(folder)
    leaks = [leak for leak in report["leaks"] if leak["severity"] == "error"]
    expect_equal(sorted((leak["kind"], leak["name"]) for leak in leaks), there, "the report is the folder")
    for leak in leaks:
        expect_equal(leak["pid"], main, "its creator")
        expect(leak["stack"] is not None, "it has a stack", leak)
    return there


def test_killed():
    seed = int.from_bytes(os.urandom(4), "little")
    chance = random.Random(seed)
    seen = dict.fromkeys(KINDS.values(), 0)
    for number in range(ROUNDS):
        try:
            for kind, _ in kill_once(chance):
                seen[kind] += 1
        except Failure:
            print(f"  round {number + 1} of {ROUNDS}, seed {seed}")
            raise
    print(f"  {ROUNDS} rounds, left: {seen}")
    expect(sum(seen.values()) > 0, "something was left at all")


subprocess.run(["gcc", "-O1", "-g", "-w", "-D_GNU_SOURCE", "-o", PROGRAM, SOURCE, "-pthread"], check=True,
               stderr=subprocess.DEVNULL)
run_cases(globals())
