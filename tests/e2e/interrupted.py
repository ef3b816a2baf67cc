#!/usr/bin/env python3
"""Who ends leftover while it writes its reports finds each of them whole or not there, and no other file."""

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

from cases import changed_environment, expect, expect_equal, run_cases, wait_for
from machine import Machine
from tool import Tool, state_of

TOOL = Tool(BUILD)
MACHINE = Machine()

# Semaphores enough, each with a stack of its own, that each report takes a while to write.
SEMAPHORES = 400
PROGRAM = """
import ctypes, os
make = ctypes.CDLL(None).sem_open
def deep(number, depth):
    if depth: return deep(number, depth - 1)
    make(b"/n%d" % number, os.O_CREAT, 0o600, 1)
for number in range(COUNT):
    scope = {"deep": deep}
    exec("\\n" * number + f"def f{number}(): deep({number}, {number % 40})", scope)
    scope[f"f{number}"]()
open("ended", "w").close()
""".replace("COUNT", str(SEMAPHORES))
OUTPUTS = ["r.json", "r.html", "r.txt", "r.sarif", "r.ndjson"]

# As on a file system that has no files without a name.
NO_TMPFILE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#define WRAP(name) int name(const char* path, int flags, ...) { \
    va_list list; va_start(list, flags); int mode = va_arg(list, int); va_end(list); \
    if ((flags & O_TMPFILE) == O_TMPFILE) { errno = EOPNOTSUPP; return -1; } \
    return ((int (*)(const char*, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); }
WRAP(open)
WRAP(open64)
"""
NAMED = os.path.abspath("named.so")
subprocess.run(["cc", "-shared", "-fPIC", "-w", "-o", NAMED, "-x", "c", "-"], input=NO_TMPFILE, text=True, check=True)


def start(old):
    for name in OUTPUTS + ["ended"]:
        if os.path.exists(name):
            os.unlink(name)
    for name in OUTPUTS[:2] if old else []:
        with open(name, "w", encoding="utf-8") as file:
            file.write("old")
    words = [word for name in OUTPUTS for word in ("-o", name)]
    return TOOL.start("--session", "job", "--grace", "0", *words, sys.executable, "-c", PROGRAM, stderr=subprocess.PIPE)


def ended_at(run):
    """The moment when leftover turned to its reports."""
    wait_for(lambda: os.path.exists("ended") or run.poll() is not None, "the program ends")

    def reports():
        if run.poll() is not None:
            return True
        with open(f"/proc/{run.pid}/status", encoding="utf-8") as file:
            caught = next(line for line in file if line.startswith("SigCgt"))
        return int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1
    wait_for(reports, "leftover reports")
    return time.monotonic()


def check(name, old):
    if not os.path.exists(name):
        expect(not old, f"{name}: what was there is there still")
        return False
    with open(name, encoding="utf-8") as file:
        text = file.read()
    if old and text == "old":
        return False
    if name.endswith((".json", ".sarif")):
        json.loads(text)
    elif name.endswith(".ndjson"):
        expect_equal(len([json.loads(line) for line in text.splitlines()]) >= SEMAPHORES, True, name)
    else:
        expect(text.rstrip().endswith("</html>") if name.endswith(".html") else f"/n{SEMAPHORES - 1}" in text or "more" in text,
               f"{name} is whole", text[-200:])
    return True


def at_random_instants():
    run = start(False)
    begin = ended_at(run)
    run.communicate(timeout=120)
    whole = time.monotonic() - begin
    expect(all(check(name, False) for name in OUTPUTS), "undisturbed, all are there")
    MACHINE.clear()
    seen = {"killed": 0, "ended": 0, "partly": 0}
    for number in range(int(6 * SCALE)):
        old = number % 2 == 1
        run = start(old)
        ended_at(run)
        time.sleep(random.uniform(0, 0.9 * whole))
        for _ in range(2):
            run.send_signal(signal.SIGINT)
            time.sleep(0.005)  # two at once are one
        begin = time.monotonic()
        _, said = run.communicate(timeout=60)
        expect(time.monotonic() - begin < 20, "it ends promptly", time.monotonic() - begin, whole)
        there = [check(name, old and name in OUTPUTS[:2]) for name in OUTPUTS]
        expect_equal(sorted(os.listdir(".")), sorted([name for name in OUTPUTS if os.path.exists(name)] + ["ended"]),
                     "no other file")
        if run.returncode == 0:
            expect(all(there), "who was not killed has written all", there)
        else:
            expect_equal(run.returncode, -signal.SIGINT, "it died of the signal")
            folder = os.path.join(MACHINE.state, "job")
            expect_equal(said.splitlines()[-1], "leftover: interrupted before the report was complete; the records are "
                         f"kept: 'leftover report {folder}' shows them", "what it says")
            again = subprocess.run([TOOL.path, "report", folder, "--format", "json"], capture_output=True, text=True, check=False)
            expect_equal((again.returncode, json.loads(again.stdout)["summary"]["by_kind"]["semaphore"]), (0, SEMAPHORES),
                         "nothing is lost")
        seen["ended" if run.returncode == 0 else "killed"] += 1
        seen["partly"] += 0 < sum(there) < len(there)
        MACHINE.clear()
    print(f"  {whole:.2f} s of reporting, {seen}")
    expect(seen["killed"] > 0, "some were interrupted", seen)


def test_signals_at_random_instants():
    at_random_instants()


def test_where_no_file_can_be_without_a_name():
    with changed_environment(LD_PRELOAD=NAMED):
        at_random_instants()


def test_once_is_not_enough():
    """The first one is for the program, which is gone: the report is nearly there."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        run = start(False)
        ended_at(run)
        run.send_signal(number)
        _, said = run.communicate(timeout=120)
        expect_equal((run.returncode, said), (0, ""), f"{number.name} once")
        expect(all(check(name, False) for name in OUTPUTS), "all are there")
        MACHINE.clear()


def test_an_interrupted_session_can_be_swept():
    def interrupted():
        MACHINE.clear()
        run = start(False)
        ended_at(run)
        for _ in range(2):
            run.send_signal(signal.SIGTERM)
            time.sleep(0.001)
        run.communicate(timeout=60)
        return run.returncode == -signal.SIGTERM
    wait_for(interrupted, "one that had not written all yet")
    done = subprocess.run([TOOL.path, "sweep", "--clean"], capture_output=True, text=True, check=False)
    expect_equal((done.returncode, os.listdir(MACHINE.state), os.listdir("/dev/shm")), (0, [], []), "sweep --clean")


run_cases(globals())
