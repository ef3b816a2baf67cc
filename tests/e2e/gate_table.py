#!/usr/bin/env python3
"""The gate's table of exit codes, of `run --gate` and of `gate`, on real programs; what makes two leaks
the same one; baselines and differences."""

import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from cases import PATIENCE, expect, expect_equal, run_cases
from machine import Machine
from pythons import pythons
from tool import Tool

BUILD = sandbox.enter()
TOOL = Tool(BUILD)
MACHINE = Machine()

SOURCE = """
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
/*COMMENT*/
__attribute__((noinline)) void make_semaphore(const char* name) {
    if (sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED) exit(9);
}
__attribute__((noinline)) void make_memory(const char* name) {
    if (shm_open(name, O_CREAT | O_RDWR, 0600) < 0) exit(9);
}
__attribute__((noinline)) void make_zombie(void) {
    siginfo_t info;
    pid_t child = fork();
    if (child == 0) _exit(0);
    if (waitid(P_PID, child, &info, WEXITED | WNOWAIT) != 0) exit(9);
}
__attribute__((noinline)) void make_timer(void) {
    timer_t timer;
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_NONE;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) exit(9);
}
int main(int argc, char** argv) {
    char name[64];
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "error") == 0) {
            snprintf(name, sizeof name, "/jobs-%d", (int)getpid());
            make_semaphore(name);
        } else if (strcmp(argv[i], "memory") == 0) {
            make_memory("/cache");
        } else if (strcmp(argv[i], "shared") == 0) {
            make_memory("/shared");
        } else if (strcmp(argv[i], "warning") == 0) {
            make_zombie();
        } else if (strcmp(argv[i], "note") == 0) {
            make_timer();
        } else if (strcmp(argv[i], "fail") == 0) {
            return 5;
        }
    }
    return 0;
}
"""


def compiler(*options, comment="", name="program", where="."):
    """Builds the program in a folder of its own, and gives its path."""
    folder = os.path.abspath(os.path.join(where, f"build-{name}"))
    os.makedirs(folder)
    source = os.path.join(folder, "program.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write(SOURCE.replace("/*COMMENT*/", comment))
    binary = os.path.join(folder, "program")
    subprocess.run(["gcc", "-g", "-O1", "-D_GNU_SOURCE", *options, "-o", binary, source, "-pthread"], check=True)
    return binary


def shared_program():
    """The same program for all cases, built once."""
    binary = os.path.join(os.path.dirname(os.getcwd()), "program")
    if not os.path.exists(binary):
        shutil.copy(compiler(name="shared", where=os.pardir), binary)
    return binary


def write(name, text):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    return name


def call(*words):
    return subprocess.run([TOOL.path, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


def gated(*what, options=()):
    """A run under the gate; its status, report and what it said."""
    MACHINE.clear()
    report = os.path.abspath("report.json")
    done = TOOL.run("--gate", "--grace", "0.2", "-o", report, *options, "--", *what)
    MACHINE.clear()
    with open(report, encoding="utf-8") as file:
        return done.returncode, json.load(file), done.stderr


def both(what, run_status, gate_status, options=(), **summary):
    """The same through both gates; `summary` is what the report's must hold."""
    status, report, said = gated(*what, options=options)
    expect_equal(status, run_status, f"run --gate, which said {said!r}, of {report['leaks']}")
    for key, value in summary.items():
        expect_equal(report["summary"][key], value, f"summary.{key}")
    done = call("gate", *[word for word in options if word not in ("--error-exitcode", "7", "--clean")], "report.json")
    expect_equal(done.returncode, gate_status, f"gate: {done.stdout} {done.stderr}")
    return done.stdout + done.stderr


def fingerprints(report, severities=("error", "warning")):
    return sorted({(leak["kind"], leak["fingerprint"]) for leak in report["leaks"] if leak["severity"] in severities})


def test_clean():
    said = both([shared_program()], 0, 0, leaks=0)
    expect("gate: passed: nothing counts (1 session" in said, "says so", said)


def test_leak():
    said = both([shared_program(), "error"], 23, 1, leaks=1)
    expect(re.search(r"error: 1 semaphore /jobs-\*, make_semaphore at .*program.c:\d+  v1:[0-9a-f]{16}\n", said),
           "names the place", said)
    expect("gate: failed: 1 leak at or above 'error' in 1 place" in said, "sums up", said)


def test_another_exit_code():
    both([shared_program(), "error"], 7, 1, options=["--error-exitcode", "7"])


def test_a_program_that_failed_itself():
    status, report, _ = gated(shared_program(), "error", "fail")
    expect_equal((status, report["summary"]["leaks"]), (5, 1), "its own status")


def test_warning():
    both([shared_program(), "warning"], 0, 0, warnings=1)
    both([shared_program(), "warning"], 23, 1, options=["--fail-on", "warning"], warnings=1)


def test_note():
    both([shared_program(), "note"], 0, 0, leaks=0)
    both([shared_program(), "note"], 0, 0, options=["--fail-on", "warning"], leaks=0)
    both([shared_program(), "note"], 23, 1, options=["--fail-on", "note"], leaks=0)


def test_suppressed():
    for line in ("semaphore:/jobs-*", "*:top=make_semaphore", "*:frame=main", "*:frame=program.c",
                 'semaphore:top=make_semaphore reason="known" expires=2999-12-31'):
        write("x.supp", line + "\n")
        said = both([shared_program(), "error"], 0, 0, options=["--suppressions", "x.supp"], leaks=0, suppressed=1)
        expect("suppressions: 1 used, 0 unused, 0 expired" in said, "counts it", said)
    said = call("gate", "--show-suppressed", "report.json").stdout
    expect("(suppressed)" in said, "shown when asked", said)


def test_expired_and_unused():
    write("x.supp", "semaphore:/jobs-* expires=2020-01-01\nthread:nobody\n")
    said = both([shared_program(), "error"], 23, 1, options=["--suppressions", "x.supp"], leaks=1)
    expect("expired on 2020-01-01: semaphore:/jobs-* (x.supp:1; would match 1)" in said, "says so", said)
    expect("unused: thread:nobody (x.supp:2)" in said, "says so", said)


def test_strict_suppressions():
    write("x.supp", "thread:nobody\n")
    both([shared_program()], 0, 0, options=["--suppressions", "x.supp"])
    said = both([shared_program()], 23, 1, options=["--suppressions", "x.supp", "--strict-suppressions"])
    expect("unused or expired suppressions" in said, "says why", said)


def test_bad_suppressions():
    write("x.supp", "\nsemafore:x\n")
    done = TOOL.run("--gate", "--suppressions", "x.supp", "--", "touch", "ran")
    expect_equal((done.returncode, os.path.exists("ran")), (125, False), "refused before it runs")
    expect("x.supp:2: there is no kind 'semafore'" in done.stderr, "says where", done.stderr)
    write("report.json", "{}")
    expect_equal(call("gate", "--suppressions", "x.supp", "report.json").returncode, 2, "gate")
    expect_equal(call("gate", "--suppressions", "none.supp", "report.json").returncode, 2, "gate, missing file")


def test_suggested_suppressions_suppress():
    gated(shared_program(), "error", "memory", "warning")
    write("x.supp", call("report", "--suggest-suppressions", "report.json").stdout)
    said = both([shared_program(), "error", "memory", "warning"], 0, 0,
                options=["--suppressions", "x.supp", "--fail-on", "warning"], suppressed=3, leaks=0)
    expect("suppressions: 3 used" in said, "each is used", said)


def test_baseline():
    gated(shared_program(), "error", "memory")
    expect_equal(call("baseline", "report.json", "-o", "b").returncode, 0, "baseline")
    with open("b", encoding="utf-8") as file:
        lines = file.read().splitlines()
    expect_equal(lines, sorted(lines), "sorted")
    expect_equal([line.split(" ")[1:] for line in lines if "semaphore" in line],
                 [["semaphore", "/jobs-*", "program.c:make_semaphore"]], "columns")
    both([shared_program(), "error", "memory"], 0, 0, options=["--baseline", "b"], leaks=0, baseline=2)
    said = both([shared_program(), "error", "shared"], 23, 1, options=["--baseline", "b"], leaks=1, baseline=1)
    expect("1 shared memory object /shared, make_memory" in said and said.count("(new)") == 1, "only the new one", said)
    expect(re.search(r"^gone: v1:\w+ shared_memory /cache program.c:make_memory$", said, re.M), "and what is gone", said)
    # A baseline made of a report that was compared with it is the same.
    gated(shared_program(), "error", "memory", options=["--baseline", "b"])
    again = call("baseline", "report.json").stdout
    expect_equal(again.splitlines(), lines, "again")


def test_cleaned():
    both([shared_program(), "error"], 23, 1, options=["--clean"], leaks=1, cleaned=1)
    # What is suppressed or in the baseline is left alone.
    write("x.supp", "semaphore:*\n")
    MACHINE.clear()
    TOOL.run("--gate", "--clean", "--grace", "0.2", "--suppressions", "x.supp", "-o", "report.json", "--",
             shared_program(), "error", "memory")
    names = os.listdir("/dev/shm")
    MACHINE.clear()
    expect(any(name.startswith("sem.jobs-") for name in names) and "cache" not in names,
           "the suppressed semaphore stays, the memory goes", names)


OTHER = """
import glob, mmap, sys, time
while not (found := glob.glob("/dev/shm/sem.jobs-*")):
    time.sleep(0.01)
with open(found[0], "r+b") as file:
    used = mmap.mmap(file.fileno(), 0)
open("is-used", "w").close()
sys.stdin.read()
"""


def test_in_use():
    """By a program of another session when this one cleans up: left alone, and not counted."""
    MACHINE.clear()
    other = subprocess.Popen([sys.executable, "-c", OTHER], stdin=subprocess.PIPE)
    done = TOOL.run("--gate", "--clean", "--grace", "0.2", "-o", "report.json", "--", "sh", "-c",
                    f"{shared_program()} error && while ! test -e is-used; do sleep 0.01; done")
    other.communicate(timeout=60)
    left = os.listdir("/dev/shm")
    MACHINE.clear()
    os.unlink("is-used")
    with open("report.json", encoding="utf-8") as file:
        report = json.load(file)
    expect_equal([leak["status"] for leak in report["leaks"] if leak["severity"] == "error"], ["in_use"], "its status")
    expect_equal(len(left), 1, "it is still there")
    expect_equal(done.returncode, 0, f"run --gate: {done.stderr}")
    done = call("gate", "report.json")
    expect_equal(done.returncode, 0, done.stdout)
    expect("in use by others: does not count" in done.stdout, "says so", done.stdout)
    for leak in report["leaks"]:
        leak["status"] = "cleaned"
    write("report.json", json.dumps(report))
    expect_equal(call("gate", "report.json").returncode, 1, "cleaned ones count")


def test_not_instrumented():
    static = compiler("-static", name="static")
    said = both([static], 125, 2)
    expect("nothing was instrumented, so it cannot tell" in said, "says so", said)


def test_one_of_two_not_instrumented():
    TOOL.run("-o", "a.json", "--", shared_program())
    TOOL.run("-o", "b.json", "--session", "blind", "--", compiler("-static", name="static"))
    done = call("gate", "a.json", "b.json")
    expect_equal(done.returncode, 0, done.stderr)
    expect("of session blind nothing was instrumented" in done.stderr, "says so", done.stderr)


def test_torn_input():
    gated(shared_program())
    with open("report.json", encoding="utf-8") as file:
        text = file.read()
    write("torn.json", text[:len(text) // 2])
    done = call("gate", "report.json", "torn.json")
    expect_equal(done.returncode, 2, done.stdout)
    expect("torn.json: cut off at byte" in done.stderr and "cannot tell" in done.stderr, "says so", done.stderr)
    write("report.json", text.replace('"complete": true', '"complete": false'))
    done = call("gate", "report.json")
    expect_equal(done.returncode, 2, done.stdout)
    expect("is damaged or full" in done.stderr, "says so", done.stderr)


def test_none():
    os.makedirs("empty")
    for path in ("empty", "nowhere"):
        done = call("gate", path)
        expect_equal(done.returncode, 2, path)
        expect("gate: no report was found" in done.stderr, "says so", done.stderr)
    expect_equal(call("gate").returncode, 2, "no path")
    expect_equal(call("baseline", "empty", "-o", "b").returncode, 2, "baseline of nothing")
    expect(not os.path.exists("b"), "writes nothing")


def test_same_fingerprints_in_two_runs():
    first = gated(shared_program(), "error", "memory", "warning")[1]
    second = gated(shared_program(), "error", "memory", "warning")[1]
    expect_equal(fingerprints(first), fingerprints(second), "two runs")
    expect_equal(len(fingerprints(first)), 3, "findings")
    names = [{leak["name"] for leak in report["leaks"] if leak["kind"] == "semaphore"} for report in (first, second)]
    expect(names[0] and not names[0] & names[1], "though the names differ", names)


def test_same_fingerprints_when_rebuilt():
    words = ("error", "memory", "warning", "note")
    plain = gated(compiler(name="one"), *words)[1]
    moved = gated(compiler(comment="/* an unrelated\n   comment */\n", name="two"), *words)[1]
    optimized = gated(compiler("-O2", name="three"), *words)[1]
    severities = ("error", "warning", "note")
    expect_equal(fingerprints(moved, severities), fingerprints(plain, severities), "a comment line, another folder")
    expect_equal(fingerprints(optimized, severities), fingerprints(plain, severities), "another optimization")


PYTHON = """
import multiprocessing, os, subprocess, tempfile
def make_locks(context):
    return [context.Lock() for _ in range(3)]
def main():
    context = multiprocessing.get_context("spawn")
    locks = make_locks(context)
    folder = tempfile.mkdtemp(prefix="cache-")
    child = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        from multiprocessing.resource_tracker import _resource_tracker as tracker
    except ImportError:
        from multiprocessing.semaphore_tracker import _semaphore_tracker as tracker
    os.kill(tracker._pid, 9)
    os.kill(os.getpid(), 9)
if __name__ == "__main__":
    main()
"""


def test_same_fingerprints_under_every_python():
    seen = {}
    write("job.py", PYTHON)
    for path, version in pythons():
        MACHINE.clear()
        report, _ = TOOL.report("--grace", "0.2", "--", path, "job.py", capture_output=False, stderr=subprocess.DEVNULL)
        MACHINE.clear()
        seen[version] = fingerprints(report, ("error",))
    expected = next(iter(seen.values()))
    expect_equal([kind for kind, _ in expected], ["process", "semaphore", "temporary_directory"], "kinds")
    for version, found in seen.items():
        expect_equal(found, expected, f"CPython {version}")
    os.makedirs("elsewhere")
    write("elsewhere/job.py", "# one line more\n" + PYTHON)
    MACHINE.clear()
    report, _ = TOOL.report("--grace", "0.2", "--", sys.executable, os.path.abspath("elsewhere/job.py"),
                            capture_output=False, stderr=subprocess.DEVNULL)
    MACHINE.clear()
    expect_equal(fingerprints(report, ("error",)), expected, "moved, by another path")


WORKERS = """
import multiprocessing, os, sys, time
def start(context):
    worker = context.Process(target=time.sleep, args=(1000,))
    worker.start()
    return worker
def main():
    context = multiprocessing.get_context(sys.argv[1])
    workers = [start(context) for _ in range(2)]
    os.kill(os.getpid(), 9)
if __name__ == "__main__":
    main()
"""


def test_same_fingerprints_of_workers_under_every_python():
    # How a worker, a fork server and a tracker are started differs from version to version; who did so doesn't.
    write("workers.py", WORKERS)
    for method in ("fork", "spawn", "forkserver"):
        seen = {}
        for path, version in pythons():
            report, _ = TOOL.report("--grace", "0.2", "--clean", "--", path, "workers.py", method, capture_output=False,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            MACHINE.clear()
            # Trackers end by themselves, sooner or later: the workers and their fork server stay.
            seen[version] = {leak["fingerprint"] for leak in report["leaks"] if leak["kind"] == "process"
                             and not any("_tracker import main" in word for word in leak["details"]["command"])}
            expect(seen[version], f"{method} workers of CPython {version}", report["leaks"])
        expect_equal(len(set(map(frozenset, seen.values()))), 1, f"{method}: {seen}")


def test_a_new_leak_is_exactly_one_new():
    gated(shared_program(), "error", "memory")
    os.rename("report.json", "old.json")
    gated(shared_program(), "error", "memory", "warning")
    done = call("diff", "old.json", "report.json")
    expect_equal(done.returncode, 1, done.stdout)
    expect(done.stdout.endswith("1 new, 0 gone, 2 unchanged\n"), "sums up", done.stdout)
    expect(re.search(r"^new: warning: 1 zombie .*make_zombie", done.stdout, re.M), "which", done.stdout)
    expect_equal(call("diff", "--fail-on", "error", "old.json", "report.json").returncode, 0, "of errors none is new")
    back = call("diff", "report.json", "old.json")
    expect((back.returncode, "0 new, 1 gone, 2 unchanged" in back.stdout) == (0, True), "gone", back.stdout)
    found = json.loads(call("diff", "--format", "json", "old.json", "report.json").stdout)
    expect_equal([len(found[key]) for key in ("new", "gone", "unchanged")], [1, 0, 2], "JSON")
    expect_equal(found["schema"], "leftover.diff/1", "schema")
    text = call("diff", "--format", "markdown", "old.json", "report.json", "-o", "-").stdout
    expect("## leftover: 1 new, 0 gone, 2 unchanged" in text and "### New (1)" in text, "Markdown", text)
    expect_equal(call("diff", "old.json", "nowhere").returncode, 2, "trouble")


run_cases(globals())
