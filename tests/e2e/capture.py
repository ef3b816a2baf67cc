#!/usr/bin/env python3
"""--capture: both streams kept apart and passed on, whatever becomes of either side."""

import hashlib
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import sandbox
from cases import expect, expect_equal, run_cases, wait_for
from machine import Machine
from sessions import Sessions, text_of
from tool import Tool, line_of, name_of

TOOL = Tool(sandbox.enter())
SESSIONS = Sessions(TOOL)


def test_apart_and_live():
    script = "echo one; echo two >&2; read x; echo three"
    run = TOOL.start("--capture", "new/logs", "sh", "-c", script, stdin=subprocess.PIPE)
    expect_equal((run.stdout.readline(), run.stderr.readline()), ("one\n", "two\n"), "while it runs")
    # They get their names when it is sure that the program runs, which may be a moment after its first line.
    wait_for(lambda: os.path.exists("new/logs/stderr.log"), "the files have their names")
    expect_equal((text_of("new/logs/stdout.log"), text_of("new/logs/stderr.log")), ("one\n", "two\n"), "kept by then, too")
    out, err = run.communicate("\n")
    expect_equal((run.returncode, out, err), (0, "three\n", ""), "to its end")
    expect_equal(text_of("new/logs/stdout.log"), "one\nthree\n", "kept")
    expect_equal(sorted(os.listdir("new/logs")), ["stderr.log", "stdout.log"], "nothing else")
    expect_equal(TOOL.run("--capture", "new/logs", "echo", "again").returncode, 0, "over an old one")
    expect_equal(text_of("new/logs/stdout.log"), "again\n", "which is replaced")


def test_a_lot():
    """100 MB, read slowly at first; our memory does not grow with it."""
    size = 100_000_000
    run = TOOL.start("--capture", "logs", "sh", "-c", f"head -c {size} /dev/zero | tr '\\0' x; echo end >&2", text=False)
    digest, total, most = hashlib.sha256(), 0, 0
    while chunk := run.stdout.read(1 << 20):
        digest.update(chunk)
        total += len(chunk)
        if total % (20 << 20) < len(chunk):
            for word in os.listdir("/proc"):
                if word.isdigit() and name_of(int(word)) in ("leftover", "leftover-helper"):
                    with open(f"/proc/{word}/statm", encoding="utf-8") as file:
                        most = max(most, int(file.read().split()[1]) * 4096)
    expect_equal((run.wait(), total, run.stderr.read()), (0, size, b"end\n"), "all of it")
    with open("logs/stdout.log", "rb") as file:
        expect_equal(hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest")
                     else hashlib.sha256(file.read()).hexdigest(), digest.hexdigest(), "and kept")
    expect(0 < most < 64 << 20, "memory", most)


def test_orphan():
    """It keeps both streams, keeps nobody waiting, is named, and lives on as it would have."""
    machine = Machine()
    orphan = "(trap '' HUP; echo $$ >/dev/null; while ! test -e go; do sleep 0.05; done; echo late; echo >done) &"
    report, done = TOOL.report("--grace", 0, "--capture", "logs", "sh", "-c", f"{orphan} echo early")
    expect_equal((done.returncode, done.stdout), (0, "early\n"), "it does not wait")
    holds = [leak["details"]["holds"] for leak in report["leaks"] if leak["kind"] == "process"]
    expect(holds and all("stdout" in each and "stderr" in each for each in holds), "named", holds)
    with open("go", "w", encoding="utf-8"):
        pass
    line_of("done", "the orphan has not died of its output")
    wait_for(lambda: text_of("logs/stdout.log") == "early\nlate\n", "kept all the same")
    wait_for(lambda: not machine.new_processes(), "nothing of ours outlives it")


def test_reader_goes_away():
    run = TOOL.start("--capture", "logs", "yes")
    run.stdout.readline()
    run.stdout.close()
    expect_equal(run.wait(), -signal.SIGPIPE, "it ends as it would alone")
    run = TOOL.start("--capture", "logs", "sh", "-c", "trap '' PIPE; while echo a; do sleep 0.01; done; exit 9", stdin=subprocess.PIPE)
    run.stdout.readline()
    run.stdout.close()
    run.stdin.close()
    expect_equal(run.wait(), 9, "a program that ignores it gets the error")


def test_closed_and_full():
    done = TOOL.run("--capture", "logs", "sh", "-c", "echo out; echo err >&2; exit 3", capture_output=False,
                    stdout=os.open("/dev/full", os.O_WRONLY), stderr=subprocess.PIPE)
    expect_equal((done.returncode, text_of("logs/stdout.log")), (3, "out\n"), "kept")
    expect("4 bytes" in done.stderr and done.stderr.startswith("err\n"), "what is lost is said", done.stderr)
    command = " ".join(TOOL.words("--capture", "logs2", "sh", "-c", "'echo out; exit 3'"))
    expect_equal(os.waitstatus_to_exitcode(os.system(command + " >&-")), 3, "closed")
    expect_equal(text_of("logs2/stdout.log"), "out\n", "kept")

    os.mkdir("small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "small"], check=True)
    done = TOOL.run("--capture", "small", "sh", "-c", "head -c 1000000 /dev/zero; echo $? >&2", text=False)
    expect_equal((done.returncode, len(done.stdout)), (0, 1_000_000), "a full disk is nothing to the program")
    expect(done.stderr.startswith(b"0\n") and b"No space left" in done.stderr, "but is said", done.stderr)
    done = TOOL.run("--capture", "/proc/nowhere", "touch", "started")
    expect_equal((done.returncode, len(done.stderr.splitlines()), os.path.exists("started")), (125, 1, False), "no folder")
    subprocess.run(["umount", "small"], check=True)


def test_detached():
    """The file itself: needs nobody, not even leftover."""
    done = SESSIONS.detach("--session", "d", "--capture", "logs", "--", "sh", "-c", "echo out; echo err >&2; readlink /proc/self/fd/1")
    expect_equal(done.stdout, "d\n", "only the id")
    expect_equal(SESSIONS.wait("d"), 0, "status")
    expect_equal(text_of("logs/stdout.log").splitlines()[0], "out", "kept")
    expect_equal(text_of("logs/stderr.log"), "err\n", "kept")
    expect_equal(SESSIONS.ps("--all")["d"]["stderr"], os.path.abspath("logs/stderr.log"), "told")


run_cases(globals())
