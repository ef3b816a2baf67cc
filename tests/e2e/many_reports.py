#!/usr/bin/env python3
"""Folders of a CI run: many reports as one view, plain and compressed."""

import gzip
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from cases import PATIENCE, expect, expect_equal, run_cases
from machine import Machine
from tool import Tool

BUILD = sandbox.enter()
TOOL = Tool(BUILD)
MACHINE = Machine()


def call(*words):
    return subprocess.run([TOOL.path, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE * 2, check=False)


def report():
    """Of a real program that leaves a shared memory object."""
    with open("job.py", "w", encoding="utf-8") as file:
        file.write("import ctypes\ndef make():\n    ctypes.CDLL(None).shm_open(b'/job-cache', 66, 0o600)\nmake()\n")
    found, _ = TOOL.report("--label", "job=1", "--", sys.executable, "job.py")
    MACHINE.clear()
    return found


def jobs(count, folder="artifacts"):
    """So many jobs' reports, in folders of their own, each with its label; the last one leaves nothing."""
    one = report()
    for i in range(count):
        one["session"]["id"] = f"job-{i}"
        one["session"]["labels"] = {"job": str(i)}
        where = os.path.join(folder, f"job-{i}")
        os.makedirs(where)
        with open(os.path.join(where, "leaks.json"), "w", encoding="utf-8") as file:
            json.dump(one if i + 1 < count else {**one, "leaks": []}, file)
        with open(os.path.join(where, "other.json"), "w", encoding="utf-8") as file:
            file.write("{\"somebody\": \"else's\"}")
    return folder


def test_one_finding_in_500_jobs():
    folder = jobs(500)
    text = call("report", folder).stdout
    expect(text.startswith("leftover: 500 sessions left 499 things behind: 499 shared memory objects\n"), "sum", text[:200])
    expect("and 480 more sessions\n" in text, "not all are listed", text)
    expect_equal(text.count("\nerror: "), 1, "one finding")
    expect("error: 499 shared memory objects in 499 of 500 sessions: /job-cache" in text, "with a count", text)
    expect_equal(call("report", "--all", folder).stdout.count(" left\n"), 500, "--all lists every session")
    merged = json.loads(call("report", "--format", "json", folder).stdout)
    expect_equal(len(merged["sessions"]), 500, "sessions")
    expect_equal({session["id"]: session["labels"] for session in merged["sessions"]},
                 {f"job-{i}": {"job": str(i)} for i in range(500)}, "labels")
    # The descriptor that shm_open gave is a note of its own.
    leaks = [leak for leak in merged["leaks"] if leak["severity"] == "error"]
    expect(sorted(leak["session"] for leak in leaks) == sorted(f"job-{i}" for i in range(499)), "of each leak",
           len(leaks), leaks[:2])
    expect_equal(len({leak["fingerprint"] for leak in leaks}), 1, "one fingerprint")
    expect_equal(len({leak["stack"] for leak in leaks}), 1, "stacks are shared")
    gate = call("gate", folder)
    expect_equal(gate.returncode, 1, "gate")
    expect("499 leaks at or above 'error' in 1 place (500 sessions" in gate.stdout, "gate", gate.stdout)


def test_compressed():
    one = json.dumps(report()).encode()
    os.makedirs("folder")
    with gzip.open("folder/a.json.gz", "wb") as file:
        file.write(one)
    with open("b.json", "wb") as file:
        file.write(one.replace(b'"id": "s', b'"id": "t'))
    programs = {"gzip": ["gzip", "-c"]}
    if shutil.which("zstd"):
        programs["zstd"] = ["zstd", "-qc"]
    for name, words in programs.items():
        with open(f"folder/{name}.json.{'gz' if name == 'gzip' else 'zst'}", "wb") as file:
            subprocess.run([*words, "b.json"], stdout=file, check=True)
    done = call("report", "--format", "json", "folder")
    expect_equal((done.returncode, done.stderr), (0, ""), "folder")
    expect_equal(len(json.loads(done.stdout)["sessions"]), 2, "sessions")
    shutil.copy("folder/a.json.gz", "named-otherwise")
    expect_equal(call("report", "named-otherwise").returncode, 0, "by its bytes, not by its name")
    with open("folder/a.json.gz", "rb+") as file:
        file.truncate(100)
    done = call("report", "folder")
    expect_equal(done.returncode, 2, "cut off")
    expect("folder/a.json.gz: cut off: the gzip stream is not complete" in done.stderr, "says so", done.stderr)


def test_no_progress_bar_without_a_terminal():
    expect_equal(call("report", jobs(40)).stderr, "", "standard error")


run_cases(globals())
