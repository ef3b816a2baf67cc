#!/usr/bin/env python3
# ctest: timeout=300
"""A whole group killed, its leftover included, and cleaners that are killed half-way, run twice and at once:
nothing is lost, nothing else is touched, and the next one finds the rest."""

import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import sandbox
from cases import expect, expect_equal, run_cases, wait_for
from scale import SCALE
from tool import Tool, line_of, state_of

TOOL = Tool(sandbox.enter())
ROUNDS = max(2, int(5 * SCALE))
STATE = f"/tmp/leftover-{os.geteuid()}"

JOB = """
import multiprocessing, os, signal, sys, tempfile, time
from multiprocessing import shared_memory

def work(ready):
    os.setsid()  # a kill of the group does not reach it
    ready.release()
    time.sleep(10000)

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    ready = multiprocessing.Semaphore(0)
    locks = [multiprocessing.Lock() for _ in range(150)]
    memory = [shared_memory.SharedMemory(create=True, size=5000) for _ in range(20)]
    folder = tempfile.mkdtemp()
    for number in range(50):
        open(os.path.join(folder, str(number)), "w").close()
    workers = [multiprocessing.Process(target=work, args=(ready,)) for _ in range(3)]
    for worker in workers: worker.start()
    for worker in workers: ready.acquire()
    with open("ready.new", "w") as out:
        out.write(f"{folder} {os.getpid()} " + " ".join(str(worker.pid) for worker in workers) + "\\n")
    os.rename("ready.new", "ready")
    if sys.argv[1:] == ["end"]:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10000)
"""


def sweep(*options):
    done = subprocess.run([TOOL.path, "sweep", "--format", "json", *options], check=False, capture_output=True, text=True)
    expect(done.returncode in (0, 1), "it works", done)
    return json.loads(done.stdout)["leftovers"], done.returncode


def is_gone(pid):
    state = state_of(pid)
    return state is None or state[0] == "Z"


class Bystanders:
    """What no cleaner may touch."""

    def __enter__(self):
        with open("/dev/shm/sem.mine", "w", encoding="utf-8") as file:
            file.write("x" * 32)
        self._process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(10000)"])
        return self

    def check(self, what):
        expect(os.path.exists("/dev/shm/sem.mine") and self._process.poll() is None, f"{what}: others are left alone")

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.unlink("/dev/shm/sem.mine")


def names_there():
    return sorted(name for name in os.listdir("/dev/shm") if name != "sem.mine")


def killed_group():
    """Leftover, program and tracker are killed at once; the workers' pids and the temporary folder."""
    with open("job.py", "w", encoding="utf-8") as file:
        file.write(JOB)
    if os.path.exists("ready"):
        os.unlink("ready")
    run = subprocess.Popen(TOOL.words("--session", "group", "--", sys.executable, "job.py"), stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    folder, program, *workers = line_of("ready", "all work").split()
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    # Until then it is a session that runs on, and nobody's to clean up.
    wait_for(lambda: is_gone(int(program)), "the program is gone")
    return [int(pid) for pid in workers], folder


def expect_nothing(workers, folder, what):
    # Whoever has given its memory back needs no cleaner any more, and may take a moment still.
    wait_for(lambda: all(is_gone(pid) for pid in workers), f"{what}: the workers are gone")
    expect_equal((names_there(), os.path.exists(folder)), ([], False), f"{what}: the names and the folder too")
    expect_equal([name for name in os.listdir(STATE) if name.startswith("group")], [], f"{what}: and the records")
    expect_equal(sweep(), ([], 0), f"{what}: nothing is left to do")


def test_the_whole_group():
    with Bystanders() as others:
        workers, folder = killed_group()
        found, status = sweep()
        listed = {"sem." + item["name"][1:] if item["kind"] == "semaphore" else item["name"][1:]
                  for item in found if item["kind"] in ("semaphore", "shared_memory")}
        expect_equal((sorted(listed), status), (names_there(), 1), "all names are listed")
        expect(set(workers) <= {item["pid"] for item in found}, "and the workers", found)
        expect(folder in {item["name"] for item in found}, "and the folder", found)
        _, status = sweep("--clean")
        expect_equal(status, 0, "all is cleaned up")
        others.check("cleaned")
        expect_nothing(workers, folder, "cleaned")


def test_killed_half_way_and_at_once():
    seed = int.from_bytes(os.urandom(4), "little")
    chance = random.Random(seed)
    with Bystanders() as others:
        for number in range(ROUNDS):
            workers, folder = killed_group()
            what = f"round {number}, seed {seed}"
            for _ in range(3):
                cleaner = subprocess.Popen([TOOL.path, "sweep", "--clean"], stdin=subprocess.DEVNULL,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(chance.uniform(0, 0.03))
                cleaner.kill()
                cleaner.wait()
            others.check(what)
            both = [subprocess.Popen([TOOL.path, "sweep", "--clean"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True) for _ in range(2)]
            said = [cleaner.communicate(timeout=60)[0] for cleaner in both]
            expect(all(cleaner.returncode in (0, 1) for cleaner in both) and "failed" not in "".join(said), f"{what}: at once", said)
            sweep("--clean")  # one may have had to leave to the other what that had not come to yet
            expect_nothing(workers, folder, what)
            others.check(what)


def test_its_own_leftover_is_killed_half_way():
    seed = int.from_bytes(os.urandom(4), "little")
    chance = random.Random(seed)
    with open("job.py", "w", encoding="utf-8") as file:
        file.write(JOB)
    for number in range(ROUNDS):
        what = f"round {number}, seed {seed}"
        if os.path.exists("ready"):
            os.unlink("ready")
        run = subprocess.Popen(TOOL.words("--session", "group", "--clean", "--grace", "0", "--", sys.executable, "job.py", "end"),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        folder, _, *workers = line_of("ready", "all work").split()
        time.sleep(chance.uniform(0, 0.05))
        run.kill()
        run.wait()
        # Its helpers end with it; a session is over when they have.
        wait_for(lambda: sweep("--clean")[1] == 0, f"{what}: sweep finds the rest")
        expect_nothing([int(pid) for pid in workers], folder, what)


run_cases(globals())
