#!/usr/bin/env python3
# ctest: timeout=300 transparency
"""A signal handler that creates things, at any instruction of the calls that are hooked: a debugger's steps decide where,
not chance. All that it made is there and reported, once, as made by it, and the interrupted call does what it does."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import HERE, full, prepared, seen, subject

harness.enter()

SOURCES = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "interrupted"))
BIN = "/tmp/work/bin"
BEFORE = 4  # rounds that nothing is sent to, see steps.c
# What is done, and whether the handler may fork meanwhile: libc's own fork, and what takes the locks that it takes, may
# not be interrupted by another. sem_open allocates, and would wait for itself, without leftover as well.
CALLS = {"memory left": True, "memory": True, "semaphore left": False, "file left": True, "file": True,
         "descriptor": True, "fork": False, "vfork": False, "spawn": False, "system": False, "popen": False, "thread": False}
QUICK = ("memory left", "semaphore left", "file", "descriptor", "fork", "thread")
OBJECTS = ("semaphore", "shared_memory", "temporary_file")


def built(name):
    program = os.path.join(BIN, name)
    if not os.path.exists(program):
        os.makedirs(BIN, exist_ok=True)
        prepared(["gcc", "-O1", "-g", "-w", "-fno-optimize-sibling-calls", "-o", program,
                  os.path.join(SOURCES, name + ".c"), "-pthread"])
    return program


def left():
    """The names of all that is there."""
    names = {f"/{name.removeprefix('sem.')}" for name in os.listdir("/dev/shm")}
    return names | {f"/tmp/{name}" for name in os.listdir("/tmp") if name.startswith(("handled-", "main-", "gone-"))}


def clear():
    for name in os.listdir("/dev/shm"):
        os.unlink(f"/dev/shm/{name}")
    for name in os.listdir("/tmp"):
        if name.startswith(("handled-", "main-", "gone-")):
            os.unlink(f"/tmp/{name}")


def wrongly(report, there):
    """What is wrong with the report of what is there."""
    modules = {module["id"]: os.path.basename(module["path"]) for module in report["modules"]}
    stacks = {stack["id"]: [modules.get(frame["module"]) for frame in stack["native"]] for stack in report["stacks"]}
    found = [leak for leak in report["leaks"] if leak["kind"] in OBJECTS]
    names = [leak["name"] for leak in found]
    wrong = [f"{name} is missing" for name in sorted(there - set(names))]
    wrong += [f"{name} is not there" for name in sorted(set(names) - there)]
    wrong += [f"{name} {names.count(name)} times" for name in sorted(set(names)) if names.count(name) > 1]
    wrong += [f"{leak['name']} has the stack {stacks.get(leak['stack'])}" for leak in found
              if stacks.get(leak["stack"], [])[1:2] != ["makes"]]
    return wrong


def merged(reports):
    """As one: by hand each process tells of its own; numbers are made unique."""
    one = {"modules": [], "stacks": [], "leaks": []}
    for number, report in enumerate(reports):
        for module in report["modules"]:
            one["modules"].append({**module, "id": (number, module["id"])})
        for stack in report["stacks"]:
            native = [{**frame, "module": (number, frame["module"])} for frame in stack["native"]]
            one["stacks"].append({**stack, "id": (number, stack["id"]), "native": native})
        one["leaks"] += [{**leak, "stack": (number, leak["stack"])} for leak in report["leaks"]]
    return one


def interrupted(call, may_fork):
    @subject(call, needs=["gcc"], quick=call in QUICK)
    def one(way, parts):
        steps, makes = built("steps"), built("makes")
        rounds = 150 if full() else 25
        runs = [("spread", rounds, rounds + BEFORE)]
        # The first of its process opens the record, and unwinds what nobody has before.
        runs += [("at", at, 1) for at in (range(0, 30000, 1999) if full() else (2500, 9000, 16000))]
        parts["observes"], parts["wrong"] = [], []
        for how, number, turns in runs:
            clear()
            for name in os.listdir(way.folder):
                os.unlink(os.path.join(way.folder, name))
            forks = 0 if not may_fork else 1 if turns == 1 else 4
            done = way.run([steps, how, str(number), makes, call, str(turns), str(forks)])
            parts["observes"].append(seen(done))
            if way.watched:
                parts["wrong"] += [f"{how} {number}: {what}" for what in wrongly(merged(way.reports()), left())]
        clear()
    return one


for each, forks in CALLS.items():
    interrupted(each, forks)

harness.main()
