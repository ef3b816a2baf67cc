#!/usr/bin/env python3
"""By hand: Python's multiprocessing, whose helpers and workers are what this is all about."""

import os
import re
import signal
import time

from hand_support import (clear_machine, end_process, leaks_of, names_of, read_report, reports, run, sessions,
                          start)
from cases import expect, expect_equal, run_cases, wait_for

# Four workers under the spawn method, and many locks.
POOL = '''
import multiprocessing, os, sys, time
def work(number):
    open(f"working-{number}", "w").close()
    time.sleep(1000)
def make_locks(context):
    return [context.Semaphore() for _ in range(100)]
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    locks = make_locks(context)
    pool = context.Pool(4)
    pool.map_async(work, range(4), chunksize=1)
    while len([name for name in os.listdir(".") if name.startswith("working-")]) < 4:
        time.sleep(0.01)
    children = [child.pid for child in multiprocessing.active_children()]
    print(*children, flush=True)
    if sys.argv[2] == "wait":
        time.sleep(1000)
    if sys.argv[2] == "_exit":
        os._exit(3)
'''


def pool_script():
    with open("pool.py", "w", encoding="utf-8") as file:
        file.write(POOL)
    return ["python3", "pool.py"]


def alive_with(word):
    """Processes whose command line holds the word."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if word.encode() in file.read():
                    found.append(int(name))
        except OSError:
            pass
    return found


def end_python():
    for pid in alive_with("multiprocessing") + alive_with("pool.py"):
        end_process(pid)
    wait_for(lambda: not alive_with("multiprocessing") and not alive_with("pool.py"), "all are gone")
    clear_machine()


def fetch(file):
    wait_for(lambda: os.path.exists(file), "a report")
    return read_report(file)


def test_terminated_spawn():
    with open("output", "w", encoding="utf-8") as output:
        child = start(pool_script() + ["spawn", "wait"], "grace=0.5", stdout=output, stderr=output)
        with open("output", encoding="utf-8") as text:
            workers = wait_for(lambda: [int(word) for word in text.read().split()], "workers")
        child.send_signal(signal.SIGTERM)
        child.wait(30)
    expect_equal(child.returncode, -signal.SIGTERM, "status")
    report = fetch(f"leftover.{child.pid}.json")
    left = {leak["details"]["pid"] for leak in leaks_of(report, "process")}
    expect(left >= set(workers), "the workers live on", left, workers)
    semaphores = leaks_of(report, "semaphore")
    expect_equal(sorted("/dev/shm/sem." + leak["name"][1:] for leak in semaphores),
                 sorted("/dev/shm/" + name for name in os.listdir("/dev/shm")), "every one that is there")
    expect_equal(report["session"]["exit"], {"signal": "SIGTERM"}, "the end")
    expect_equal(report["session"]["complete"], True, "complete")
    stacks = {stack["id"]: stack for stack in report["stacks"]}
    frames = [frame for leak in semaphores for frame in stacks[leak["stack"]]["python"]]
    expect(any(frame["function"] == "make_locks" and frame["file"].endswith("pool.py") and frame["line"] == 7
               for frame in frames), "Python frames", frames[:5])
    processes = {process["pid"]: process for process in report["processes"]}
    expect(set(workers) <= set(processes) and all(processes[pid]["exit"] == {"running": True} for pid in workers),
           "processes")
    end_python()


def test_ordinary_spawn():
    """The tracker ends when its pipe closes: no false alarm, and no waiting for it."""
    script = '''
import multiprocessing
def work(x): return x + 1
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    lock = context.Lock()
    with context.Pool(2) as pool:
        print(sum(pool.map(work, range(10))))
'''
    with open("ordinary.py", "w", encoding="utf-8") as file:
        file.write(script)
    plain = run(["python3", "ordinary.py"], shim=False)
    begin = time.monotonic()
    done = run(["python3", "ordinary.py"], "grace=60")
    expect(time.monotonic() - begin < 50, "the tracker is not waited for")
    expect_equal((done.returncode, done.stdout, done.stderr), (plain.returncode, plain.stdout, plain.stderr),
                 "as without us")
    expect_equal((reports(), os.listdir("/dev/shm"), sessions()), ([], [], []), "nothing is left over")


def test_forkserver():
    script = '''
import multiprocessing
def work(x): return x + 1
if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    with context.Pool(2) as pool:
        print(sum(pool.map(work, range(10))))
'''
    with open("ordinary.py", "w", encoding="utf-8") as file:
        file.write(script)
    begin = time.monotonic()
    done = run(["python3", "ordinary.py"], "grace=60")
    expect(time.monotonic() - begin < 50, "neither is the fork server")
    expect_equal((done.returncode, done.stdout, done.stderr), (0, "55\n", ""), "as without us")
    expect_equal((reports(), sessions()), ([], []), "nothing is left over")


def test_terminated_fork():
    with open("output", "w", encoding="utf-8") as output:
        child = start(pool_script() + ["fork", "_exit"], "grace=0.5", stdout=output, stderr=output)
        child.wait(30)
    expect_equal(child.returncode, 3, "status")
    with open("output", encoding="utf-8") as text:
        workers = {int(word) for word in text.read().split()}
    report = fetch(f"leftover.{child.pid}.json")
    expect_equal({leak["details"]["pid"] for leak in leaks_of(report, "process")} & workers, workers, "workers")
    expect_equal(leaks_of(report, "semaphore"), [], "unlinked at once under this method")
    end_python()


def test_shared_memory():
    script = '''
from multiprocessing import shared_memory, resource_tracker
def make():
    return shared_memory.SharedMemory(name="kept", create=True, size=4096)
block = make()
resource_tracker.unregister(block._name, "shared_memory")
gone = shared_memory.SharedMemory(create=True, size=100)
gone.close()
gone.unlink()
'''
    done = run(["python3", "-c", script], "report=x.json")
    expect_equal((done.returncode, done.stderr), (0, ""), "status")
    report = read_report("x.json")
    expect_equal(names_of(report, "shared_memory"), ["/kept"], "one is left")
    expect_equal(report["summary"]["by_kind"], {"shared_memory": 1, "file_descriptor": 1}, "and its descriptor only")
    stack = [stack for stack in report["stacks"] if stack["id"] == leaks_of(report, "shared_memory")[0]["stack"]][0]
    expect("make" in [frame["function"] for frame in stack["python"]], "who made it", stack["python"])
    clear_machine()


def test_subprocess_and_signals():
    """Restored signals, vfork, process groups: what the interpreter itself does with signals."""
    script = '''
import os, signal, subprocess, sys
print(signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGINT))
for number in (signal.SIGTERM, signal.SIGPIPE, signal.SIGSEGV, signal.SIGKILL):
    print(subprocess.run(["sh", "-c", f"kill -{int(number)} $$"]).returncode)
print(subprocess.run(["grep", "SigIgn", "/proc/self/status"], capture_output=True).stdout)
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
print(os.waitpid(pid, 0)[1])
signal.alarm(1)
signal.pause()
'''
    plain, done = run(["python3", "-c", script], shim=False), run(["python3", "-c", script])
    expect_equal((done.returncode, done.stdout, done.stderr), (plain.returncode, plain.stdout, plain.stderr),
                 "as without us")


def without_addresses(text):
    return re.sub("0x[0-9a-f]+", "0x", text)


def test_faulthandler():
    script = "import faulthandler, ctypes; faulthandler.enable(); ctypes.string_at(0)"
    plain, done = run(["python3", "-c", script], shim=False), run(["python3", "-c", script])
    expect_equal((done.returncode, without_addresses(done.stderr)),
                 (plain.returncode, without_addresses(plain.stderr)), "its own handler, then the end")


run_cases(globals())
