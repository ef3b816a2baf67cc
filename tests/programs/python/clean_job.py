"""clean_job.py METHOD ENDING READY: four workers, a hundred locks, a Value, shared memory, a Manager.

Writes its pid to READY when all of that is there, and then ends as ENDING says, or waits for a signal.
"""

import multiprocessing
import os
import sys
import time

WORKERS = 4
LOCKS = 100


def work(started):
    with started.get_lock():
        started.value += 1
    while True:
        time.sleep(600)


def make_memory():
    try:
        from multiprocessing import shared_memory
    except ImportError:  # before Python 3.8
        return None
    return shared_memory.SharedMemory(create=True, size=100000)


def main():
    method, ending, ready = sys.argv[1:]
    context = multiprocessing.get_context(method)
    locks = [context.Lock() for _ in range(LOCKS)]
    started = context.Value("i", 0)
    memory = make_memory()
    manager = context.Manager()
    table = manager.dict({"a": len(locks)})
    # At an exit that is one, Python waits for those that are none.
    daemon = ending in ("exit", "exception")
    workers = [context.Process(target=work, args=(started,), daemon=daemon) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    while started.value < WORKERS:
        time.sleep(0.01)
    with open(ready + ".new", "w") as out:
        out.write("%d\n" % os.getpid())
    os.rename(ready + ".new", ready)
    if ending == "exit":
        return
    if ending == "exception":
        raise RuntimeError("on purpose")
    if ending == "os_exit":
        os._exit(3)
    for worker in workers:
        worker.join()
    print(table, memory)


if __name__ == "__main__":
    main()
