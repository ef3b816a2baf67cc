"""Threads that make things, taking and giving the GIL, while the main thread forks; children do the same."""
# leaves: semaphore /hard-gil
import _multiprocessing
import os
import sys
import tempfile
import threading

sys.setswitchinterval(0.0001)
over = threading.Event()
made = [0] * 4


def deep(depth, action):
    return action() if depth == 0 else deep(depth - 1, action)


def make(number):
    while not over.is_set():
        handle, path = deep(20, lambda: tempfile.mkstemp(dir="/tmp"))
        os.close(handle)
        os.unlink(path)
        thread = threading.Thread(target=int)
        deep(5, thread.start)
        thread.join()
        made[number] += 1


threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
statuses = {}
for number in range(150):
    child = deep(10, os.fork)
    if child == 0:
        handle, path = tempfile.mkstemp(dir="/tmp")
        os.unlink(path)
        os._exit(number % 5)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    statuses[status] = statuses.get(status, 0) + 1
over.set()
for thread in threads:
    thread.join()
print(sorted(statuses.items()), all(made), threading.active_count())
_multiprocessing.SemLock(1, 1, 1, "/hard-gil", False)
sys.exit(8)
