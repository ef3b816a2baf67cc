#!/usr/bin/env python3
# ctest: serial timeout=600
"""Python's multiprocessing, killed and well-behaved, with every start method on every CPython.

Debian's python3 goes through everything, the others through a part of it; all with
LEFTOVER_TEST_SCALE=10.
"""

import collections
import glob
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

from scale import SCALE
BUILD = sandbox.enter()

from cases import expect, expect_equal, run_cases, wait_for
from machine import Machine, shared_names
from pythons import name_of, pythons
from samples import difference
from tool import Tool, line_of

TOOL = Tool(BUILD)
PROGRAMS = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "python"))
KILLED = os.path.join(PROGRAMS, "killed.py")
TIDY = os.path.join(PROGRAMS, "tidy.py")
METHODS = ("spawn", "fork", "forkserver")
MACHINE = Machine()


def marked_lines(source):
    with open(source, encoding="utf-8") as file:
        return {text.partition("# line: ")[2].strip(): number
                for number, text in enumerate(file, 1) if "# line: " in text}


LINES = {number: name for name, number in marked_lines(KILLED).items()}


def place_of(report, leak):
    """The mark of the innermost line of the user's file, else the innermost frame's file."""
    expect(leak["stack"] is not None, "it has a stack", leak)
    frames = next(stack for stack in report["stacks"] if stack["id"] == leak["stack"])["python"]
    expect(frames, "it has Python frames", leak)
    for frame in frames:
        if os.path.basename(frame["file"]) == "killed.py":
            return LINES.get(frame["line"], frame)
    return os.path.basename(frames[0]["file"])


def temporary_names():
    """What multiprocessing makes for its fork server's socket and the like, and removes at a good end."""
    folders = glob.glob(os.path.join(tempfile.gettempdir(), "pymp-*"))
    return {("temporary_directory", folder) for folder in folders} | {
        ("socket_file", path) for folder in folders for path in glob.glob(os.path.join(folder, "*"))
        if stat.S_ISSOCK(os.stat(path).st_mode)}


def check_killed(python, method, number):
    MACHINE.clear()
    before = temporary_names()
    for file in ("pid", "report.json"):
        if os.path.exists(file):
            os.unlink(file)
    with open("out", "wb") as out, open("err", "w+b") as err:
        words = TOOL.words("-o", "report.json", "--grace", "0.5", python, KILLED, method, "pid")
        run = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            main = int(line_of("pid", "its locks and workers are there"))
            os.kill(main, number)
            status = run.wait(60)
        finally:
            if run.poll() is None:
                run.kill()
                run.wait()
        err.seek(0)
        expect_equal(err.read(), b"", "standard error")
    with open("report.json", encoding="utf-8") as file:
        report = json.load(file)

    expect_equal(status, -number, "leftover's own status")
    expect_equal(report["session"]["exit"], {"signal": signal.Signals(number).name}, "the session's end")
    expect_equal(report["session"]["complete"], True, "complete")

    leaks = collections.defaultdict(list)
    for leak in report["leaks"]:
        if leak["severity"] != "note":
            leaks[leak["kind"]].append(leak)
    temporary = {(kind, leak["name"]) for kind in ("temporary_directory", "socket_file") for leak in leaks.pop(kind, [])}
    expect_equal(sorted(temporary), sorted(temporary_names() - before), "its temporary names are what the folder holds")
    expect_equal(sorted(set(leaks) - {"semaphore", "process"}), [], "other kinds")
    expect_equal(sorted("sem." + leak["name"][1:] for leak in leaks["semaphore"]), shared_names(),
                 "its semaphores are what /dev/shm holds")
    expect_equal(sorted(leak["details"]["pid"] for leak in leaks["process"]), sorted(MACHINE.new_processes()),
                 "its processes are those that live")

    places = collections.Counter(place_of(report, leak) for leak in leaks["semaphore"])
    wanted = collections.Counter() if method == "fork" else collections.Counter(locks=100, value=1)
    expect(places == wanted, "the semaphores' lines: " + difference(places, wanted))

    # The tracker is started by the first lock; a fork server, and the workers of the other methods,
    # by start(). The fork server ends by itself when it learns of the main process's end.
    helpers = ("resource_tracker", "semaphore_tracker")
    places = collections.Counter()
    for leak in leaks["process"]:
        expect_equal(leak["pid"] == main or method == "forkserver", True, "created by the main process")
        command = " ".join(leak["details"]["command"])
        is_tracker = any(helper in command for helper in helpers)
        is_server = method == "forkserver" and not is_tracker and leak["pid"] == main
        places["tracker" if is_tracker else "server" if is_server else "worker", place_of(report, leak)] += 1
    places.pop(("server", "start"), None)
    workers = "forkserver.py" if method == "forkserver" else "start"
    wanted = collections.Counter({("worker", workers): 4})
    if method != "fork":
        wanted["tracker", "locks"] = 1
    expect(places == wanted, "the processes' lines: " + difference(places, wanted))
    if method == "forkserver":
        # Its own record, also when it has ended.
        servers = {leak["pid"] for leak in leaks["process"]} - {main}
        expect_equal(len(servers), 1, "one fork server")
    MACHINE.clear()


def check_tidy(python, method):
    words = [python, TIDY, method]
    plain = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=100, check=False)
    report, done = TOOL.report("--grace", "20", *words, text=False)
    expect_equal((done.returncode, done.stdout, done.stderr), (plain.returncode, plain.stdout, plain.stderr),
                 "status, output and errors")
    expect_equal(plain.returncode, 0, "it works by itself")
    bad = [leak for leak in report["leaks"] if leak["severity"] != "note"]
    expect_equal((bad, report["summary"]["leaks"]), ([], 0), "no leak")
    expect_equal((shared_names(), list(MACHINE.new_processes())), ([], []), "nothing on the machine")


def killed(python, chosen):
    def case():
        for method, number in chosen:
            try:
                check_killed(python, method, number)
            except Exception:
                print(f"  in: {method}, {signal.Signals(number).name}")
                raise
            finally:
                MACHINE.clear()
    return case


def tidy(python, methods):
    def case():
        for method in methods:
            try:
                check_tidy(python, method)
            except Exception:
                print(f"  in: {method}")
                raise
            finally:
                MACHINE.clear()
    return case


cases = {}
ALL = [(method, number) for method in METHODS for number in (signal.SIGTERM, signal.SIGKILL)]
found = pythons()
if not found:
    sys.exit(sandbox.SKIPPED)
for at, (path, version) in enumerate(found):
    everything = at == 0 or SCALE >= 10
    name = name_of(path, version)
    cases[f"test_killed_{name}"] = killed(path, ALL if everything else [ALL[at % 2], ALL[2 + (at + 1) % 4]])
    cases[f"test_tidy_{name}"] = tidy(path, METHODS if everything else [METHODS[at % 3]])
run_cases(cases)
