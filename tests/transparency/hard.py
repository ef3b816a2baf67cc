#!/usr/bin/env python3
# ctest: timeout=300 transparency
"""Programs written to be hard (tests/programs/hard): each says what it observes, and observes the same with
and without leftover; and what it leaves behind is reported all the same, in both ways."""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import HERE, full, prepared, seen, subject

harness.enter()

import sandbox
from machine import message_queues, remove_sysv, sysv_objects

SOURCES = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "hard"))
BIN = "/tmp/work/bin"
PYTHON = "/usr/bin/python3"


def said(text, what, otherwise=""):
    """What a program's first lines say of it: `// what: ...`."""
    found = re.search(rf"(?m)^(?://|#) {what}: (.*)$", text)
    return found.group(1) if found else otherwise


def built(source):
    """Once for all ways: (words, program's text)."""
    name, kind = os.path.splitext(source)
    path = os.path.join(SOURCES, source)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if kind == ".py":
        return [PYTHON, path], text
    program = os.path.join(BIN, name)
    if not os.path.exists(program):
        os.makedirs(BIN, exist_ok=True)
        compiler = ["g++", "-std=c++20"] if kind == ".cpp" else ["gcc", "-D_GNU_SOURCE"]
        library = said(text, "library")
        if library:
            prepared(["gcc", "-D_GNU_SOURCE", "-O1", "-w", "-fPIC", "-shared", "-o", program + ".library.so",
                      os.path.join(SOURCES, library)])
        # Frames as they are written: no recursion becomes a loop.
        prepared([*compiler, "-O1", "-g", "-w", "-fno-optimize-sibling-calls", "-o", program, path, "-pthread",
                  *said(text, "links").split()])
    return [program], text


def clear_names():
    for name in os.listdir("/dev/shm"):
        os.unlink(os.path.join("/dev/shm", name))
    for name in message_queues():
        os.unlink(os.path.join("/dev/mqueue", name))
    for kind, number in sysv_objects():
        remove_sysv(kind, number)


def reported(way):
    """Errors and warnings of all reports."""
    return sorted({f"{leak['kind']} {leak['name']}" for report in way.reports() for leak in report["leaks"]
                   if leak["severity"] != "note"})


def without_stack(way, *modules):
    """What was reported without a stack that leads through these files."""
    found = []
    for report in way.reports():
        paths = {module["id"]: os.path.basename(module["path"]) for module in report["modules"]}
        frames = {stack["id"]: {paths.get(frame["module"]) for frame in stack["native"]} for stack in report["stacks"]}
        found += [leak["name"] for leak in report["leaks"]
                  if leak["severity"] == "error" and not frames.get(leak["stack"], set()) >= set(modules)]
    return found


def listed(text):
    return sorted(filter(None, (word.strip() for word in text.split(",")))) if text != "nothing" else []


def compare(way, parts, words, text, **how):
    done = way.run(words, **how)
    parts["observes"] = seen(done)
    if os.path.exists("seen"):
        with open("seen", encoding="utf-8") as file:
            parts["observes in a file"] = file.read()
    parts["leaves on the machine"] = [sorted(os.listdir("/dev/shm")), message_queues(), len(sysv_objects())]
    # By itself nobody reports anything: what must be found stands in the program.
    leaves = listed(said(text, "leaves"))
    missed = said(text, f"by {way.name}")
    way.may_be_incomplete = said(text, "incomplete") == f"by {way.name}"
    if way.watched and missed:
        parts["reported"] = leaves if reported(way) == listed(missed) else reported(way)
    else:
        parts["reported"] = reported(way) if way.watched else leaves
    makers = [os.path.basename(os.path.realpath(words[0]))]
    if said(text, "library"):
        makers.append(makers[0] + ".library.so")
    parts["without its stack"] = without_stack(way, *makers)
    clear_names()


def hard(source):
    @subject(os.path.splitext(source)[0].replace("_", " "), needs=["g++" if source.endswith(".cpp") else "gcc"])
    def one(way, parts):
        words, text = built(source)
        needs = said(text, "needs")
        if (needs == "other users" and not sandbox.has_other_users()) or (needs == "root" and os.geteuid() != 0):
            raise harness.Skip(f"no {needs} here")
        if source == "many_rounds.c":
            words = [*words, "1000000" if full() else "30000"]
        compare(way, parts, words, text, timeout=600)
    return one


# A library, and what has a subject of its own.
OTHERS = ("created_by_library.c", "creates_in_handlers.c")
for each in sorted(os.listdir(SOURCES)):
    if each.endswith((".c", ".cpp", ".py")) and each not in OTHERS:
        hard(each)


@subject("a record that does not grow", needs=["gcc"])
def record(way, parts):
    """As large after many rounds as after a few."""
    words, _ = built("many_rounds.c")
    sizes = []
    for rounds in ("1000", "1000000" if full() else "30000"):
        state = os.path.abspath(f"state-{rounds}")
        way.run([*words, rounds], env=dict(os.environ, LEFTOVER_STATE_DIR=state), timeout=600)
        sizes.append(max((os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk(state) for name in names
                          if name.endswith(".record")), default=0))
        clear_names()
    parts["kept"] = all(sizes) if way.watched else True
    parts["grew"] = sizes[1] > sizes[0]


@subject("creates in handlers", needs=["gcc"])
def handlers(way, parts):
    """All that handlers made, and their children, is reported, once, with the lines that made it."""
    words, _ = built("creates_in_handlers.c")
    parts["observes"] = seen(way.run(words, timeout=600))
    there = {f"/{name}" for name in os.listdir("/dev/shm")}
    there |= {f"/tmp/{name}" for name in os.listdir("/tmp") if name.startswith("handled-")}
    parts["made"] = len(there)
    found = [(leak, report) for report in way.reports() for leak in report["leaks"] if leak["severity"] == "error"]
    names = [leak["name"] for leak, _ in found]
    parts["not reported"] = sorted(there - set(names)) if way.watched else []
    parts["not there, or twice"] = sorted(set(names) - there) + sorted({name for name in names if names.count(name) > 1})
    lines = {}
    for leak, report in found:
        frames = next((stack["native"] for stack in report["stacks"] if stack["id"] == leak["stack"]), [])
        modules = {module["id"]: os.path.basename(module["path"]) for module in report["modules"]}
        caller = frames[1] if len(frames) > 1 else {"module": None, "offset": None}
        sort = re.sub(r"[^a-z]+.*", "", leak["name"].replace("/tmp/", "").replace("/hard-", ""))
        lines.setdefault(sort, set()).add((modules.get(caller["module"]), caller["offset"]))
    parts["lines"] = ({sort: sorted((str(module) for module, _ in of)) for sort, of in sorted(lines.items())} if way.watched else
                      {sort: ["creates_in_handlers"] for sort in ("child", "handled", "kept")})
    clear_names()
    for name in os.listdir("/tmp"):
        if name.startswith("handled-"):
            os.unlink(f"/tmp/{name}")


@subject("a full disk under the records", needs=["gcc", "mount"])
def full_disk(way, parts):
    """The state folder's file system is full at the start, or becomes so: only the record suffers."""
    way.may_be_incomplete = True
    disk = "/tmp/disk"
    for pages in (0, 1, 3, 9, 20, 40):
        os.makedirs(disk, exist_ok=True)
        prepared(["mount", "-t", "tmpfs", "-o", "size=256k,mode=1777", "tmpfs", disk])
        try:
            os.makedirs(f"{disk}/state", mode=0o700)
            with open(f"{disk}/fill", "wb", buffering=0) as file:
                try:
                    while file.write(b"x" * 4096) == 4096:
                        pass
                except OSError:
                    pass
                file.truncate(os.path.getsize(f"{disk}/fill") - 4096 * pages)
            environment = dict(os.environ, LEFTOVER_STATE_DIR=f"{disk}/state")
            for source in ("counts.c", "fork_from_threads.c", "many_rounds.c", "executes_itself.c"):
                if source != "counts.c" and pages not in ((0, 3, 20) if not full() else (0, 1, 3, 9, 20, 40)):
                    continue
                done = way.run([*built(source)[0], *(["2000"] if source == "many_rounds.c" else [])], env=environment)
                # Under run leftover says that nothing, or not all, could be kept.
                parts[f"{pages} pages: {source}"] = seen(done, lambda text: re.sub(r"(?m)^leftover: .*\n", "", text))
                clear_names()
                # What an earlier session keeps there would be in the way of the next.
                for name in os.listdir(f"{disk}/state"):
                    shutil.rmtree(f"{disk}/state/{name}")
        finally:
            prepared(["umount", "-l", disk])


SANDBOXED = os.path.join(SOURCES, os.pardir, "sandboxed", "sandboxed.c")


@subject("seccomp filters", needs=["gcc"])
def seccomp(way, parts):
    """What of it is reported, and the other ends: tests/e2e/sandboxed.py."""
    os.makedirs(BIN, exist_ok=True)
    if not os.path.exists(f"{BIN}/sandboxed"):
        prepared(["gcc", "-O1", "-D_GNU_SOURCE", "-o", f"{BIN}/sandboxed", SANDBOXED])
    for how in ("strict", "kill", "trap", "refuse", "mild"):
        parts[how] = seen(way.run([f"{BIN}/sandboxed", how, "exit"]))
        clear_names()


harness.main()
