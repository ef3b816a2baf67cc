#!/usr/bin/env python3
# ctest: serial timeout=900
"""Processes that create every kind of thing at once, killed at a random instant: the report is what the
machine holds, each thing with its creator. LEFTOVER_TEST_SCALE=33 makes it 500 rounds."""

import collections
import json
import os
import random
import re
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
from machine import SYSV_FILES, Machine, message_queues, shared_names, sysv_objects
from tool import Tool, line_of

TOOL = Tool(BUILD)
ROUNDS = max(1, round(500 * SCALE / 33))
SOURCE = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "races", "kill_race_all.c"))
PROGRAM = os.path.abspath("kill_race_all")
FOLDER = os.path.abspath("folder")
MACHINE = Machine()
FILES = {stat.S_IFREG: "temporary_file", stat.S_IFDIR: "temporary_directory", stat.S_IFSOCK: "socket_file"}


def path_of(leak):
    """What identifies it on the machine."""
    if leak["kind"] == "process":
        return leak["details"]["pid"]
    return leak["details"]["path"] if leak["kind"] in ("semaphore", "shared_memory") else leak["name"]


def on_machine():
    """Counter of (kind, what identifies it). What kind a name in /dev/shm is of, its beginning says."""
    held = [("semaphore" if name.startswith("sem.") else "shared_memory", "/dev/shm/" + name)
            for name in shared_names()]
    held += [("message_queue", "/" + name) for name in message_queues()]
    held += [(kind, f"id:{number}") for kind, number in sysv_objects()]
    held += [(FILES[stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)], entry.path)
             for entry in os.scandir(FOLDER) if not entry.name.startswith("own-")]
    held += [("process", pid) for pid in MACHINE.new_processes()]
    return collections.Counter(held)


def keys():
    """{(kind, "id:N"): key}"""
    found = {}
    for kind, file in SYSV_FILES.items():
        with open(f"/proc/sysvipc/{file}", encoding="utf-8") as text:
            for words in map(str.split, text.readlines()[1:]):
                found[kind, f"id:{words[1]}"] = int(words[0])
    return found


def expect_creators(leaks, report):
    """The pid that a name, or a key, bears is its creator's."""
    key_of = keys()
    for leak in leaks:
        expect(leak["stack"] is not None, "it has a stack", leak)
        named = re.search(r"race-(\d+)-", leak["name"])
        key = key_of.get((leak["kind"], leak["name"]), 0)
        if named:
            expect_equal(leak["pid"], int(named[1]), f"the creator of {leak['name']}")
        elif key != 0:
            expect_equal(leak["pid"] & 0xfffff, (key & 0xffffffff) >> 4, f"the creator of {leak['kind']} {leak['name']}")
        else:
            pids = [process["pid"] for process in report["processes"]]
            expect(leak["pid"] in pids, "created by a process of the session", leak, pids)


def kill_once(chance):
    MACHINE.clear()
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.mkdir(FOLDER)
    for file in ("pid", "report.json"):
        if os.path.exists(file):
            os.unlink(file)
    # Not a pipe: those that stay keep it open. The grace is as ever: a killed process takes its time to go.
    with open("errors", "wb") as errors:
        run = subprocess.Popen(TOOL.words("-o", "report.json", PROGRAM, os.path.abspath("pid"), FOLDER),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
    try:
        group = int(line_of("pid", "its threads have begun"))
        until = time.monotonic() + chance.uniform(0, 0.03)
        while time.monotonic() < until:
            pass
        os.killpg(group, signal.SIGKILL)
        run.wait(timeout=60)
    finally:
        if run.poll() is None:
            run.kill()
            run.wait()
    expect_equal((run.returncode, os.path.getsize("errors")), (-signal.SIGKILL, 0), "status and standard error")
    with open("report.json", encoding="utf-8") as file:
        report = json.load(file)
    leaks = [leak for leak in report["leaks"] if leak["severity"] == "error"]
    found = collections.Counter((leak["kind"], path_of(leak)) for leak in leaks)
    held = on_machine()
    expect(found == held, "the report is the machine: missing, too much", list((held - found).elements()),
           list((found - held).elements()))
    others = [(leak["kind"], leak["name"], leak["details"]) for leak in report["leaks"]
              if leak not in leaks and leak["kind"] not in ("thread", "detached_thread", "file_descriptor")]
    expect_equal(others, [], "nothing else")
    expect_equal(report["session"]["complete"], True, "complete")
    expect_creators(leaks, report)
    return found


def test_killed_at_any_instant():
    seed = int.from_bytes(os.urandom(4), "little")
    chance = random.Random(seed)
    seen = collections.Counter()
    for number in range(ROUNDS):
        try:
            seen.update(kind for kind, _ in kill_once(chance))
        except Failure:
            print(f"  round {number + 1} of {ROUNDS}, seed {seed}")
            raise
    print(f"  {ROUNDS} rounds, left: {dict(sorted(seen.items()))}")
    expect(len(seen) >= 5, "several kinds were left at all", seen)
    MACHINE.clear()


subprocess.run(["gcc", "-O1", "-g", "-w", "-D_GNU_SOURCE", "-o", PROGRAM, SOURCE, "-pthread", "-lrt"], check=True)
run_cases(globals())
