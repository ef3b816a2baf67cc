#!/usr/bin/env python3
# ctest: timeout=120
"""Pools that are not CPython's own: loky, joblib's, with its workers, tracker and semaphores; PyTorch's helper."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect, expect_equal, run_cases
from machine import Machine
from tool import Tool

TOOL = Tool(BUILD)
MACHINE = Machine()
PYTHON = "/usr/bin/python3"
SCRIPT = os.path.abspath("job.py")
JOB = """
import os, signal, sys, time
from joblib.externals.loky import get_reusable_executor

def task(number):
    if sys.argv[1] != "well":
        open(f"begun-{number}", "w").close()
        time.sleep(1000)
    return number

if __name__ == "__main__":
    pool = get_reusable_executor(max_workers=3)  # here
    if sys.argv[1] == "well":
        print(sum(pool.map(task, range(30))))
    else:
        tasks = [pool.submit(task, number) for number in range(3)]
        while not all(os.path.exists(f"begun-{number}") for number in range(3)):
            time.sleep(0.01)
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))
        time.sleep(1000)
"""


def run(how, *options):
    """What it exited with, its report, and all that was said."""
    MACHINE.clear()
    for number in range(3):
        if os.path.exists(f"begun-{number}"):
            os.unlink(f"begun-{number}")
    # Into a file: a pipe would be held by who is left over.
    with open("said", "w+", encoding="utf-8") as said:
        done = TOOL.run("-o", "report.json", *options, "--", PYTHON, SCRIPT, how, capture_output=False, stdout=said,
                        stderr=said, timeout=60)
        said.seek(0)
        with open("report.json", encoding="utf-8") as report:
            return done.returncode, json.load(report), said.read()


def left_over(report):
    return [leak for leak in report["leaks"] if leak["severity"] != "note"]


def test_a_good_one():
    plain = subprocess.run([PYTHON, SCRIPT, "well"], capture_output=True, text=True, check=True, timeout=60)
    status, report, said = run("well")
    expect_equal((status, said, left_over(report)), (0, plain.stdout + plain.stderr, []), "as without leftover")


def test_killed():
    for name, number in (("SIGKILL", -9), ("SIGTERM", -15)):
        status, report, _ = run(name)
        expect_equal(status, number, name)
        names = sorted("/" + name.removeprefix("sem.") for name in os.listdir("/dev/shm"))
        expect(names and names == sorted(leak["name"] for leak in report["leaks"] if leak["kind"] == "semaphore"),
               f"{name}: all that is there is in the report", names)
        workers = [leak for leak in report["leaks"] if leak["kind"] == "process" and "loky" in str(leak["details"]["command"])]
        expect(len(workers) >= 3, f"{name}: the workers", workers)
        stacks = {stack["id"]: stack for stack in report["stacks"]}
        expect(all(any(frame["file"].endswith("job.py") for frame in stacks[leak["stack"]]["python"]) for leak in workers),
               f"{name}: the line that made them", report["stacks"])
        MACHINE.clear()


def test_cleaned():
    for name, number in (("SIGKILL", -9), ("SIGTERM", -15)):
        status, report, said = run(name, "--clean", "--kill-after", "1", "-q")
        expect_equal((status, said), (number, ""), f"{name}: not a word of leaked semaphores")
        expect_equal(os.listdir("/dev/shm"), [], f"{name}: nothing is left")
        expect_equal({leak["status"] for leak in left_over(report)}, {"cleaned"}, f"{name}: all of it")


def test_pytorchs_manager():
    """Of shared memory; it stays for two seconds after its last client, which is no leak."""
    for name, wanted in (("torch_shm_manager", 0), ("somebody", 1)):
        done = TOOL.run("-o", "report.json", "--", "bash", "-c",
                        f"(exec -a {name} sleep 2.2) >/dev/null 2>&1 &")
        with open("report.json", encoding="utf-8") as file:
            report = json.load(file)
        expect_equal((done.returncode, len(left_over(report))), (0, wanted), name)
        MACHINE.clear()


with open(SCRIPT, "w", encoding="utf-8") as file:
    file.write(JOB)
if subprocess.run([PYTHON, "-c", "import joblib.externals.loky"], capture_output=True, check=False).returncode != 0:
    sys.exit("python3-joblib is not installed; ./dev test does that")
run_cases(globals())
