#!/usr/bin/env python3
# leftover spawn: semaphore=6@make_locks shared_memory=1@make_memory process=3@start_workers process=1@make_locks
# leftover forkserver: semaphore=6@make_locks shared_memory=1@make_memory process=3 process=1@start_workers process=1@make_locks temporary_directory=1@start_workers socket_file=1@start_workers
# leftover fork: shared_memory=1@make_memory process=3@start_workers process=1@make_memory
"""A main process that dies of SIGTERM: its workers, locks and shared memory stay.

The fourth process is CPython's resource tracker, started by the first lock or, with fork, where locks
have no names, by the first shared memory. With forkserver the workers are the children of a fifth,
whose socket lies in a temporary folder: both stay as well.
"""

import multiprocessing
import os
import signal
import sys
import time
from multiprocessing import shared_memory


def work(ready):
    with ready.get_lock():
        ready.value += 1
    while True:
        time.sleep(600)


def make_locks(context):
    locks = []
    for _ in range(5):
        locks.append(context.Lock())
    return locks, context.Value("i", 0)


def make_memory():
    return shared_memory.SharedMemory(create=True, size=4096)


def start_workers(context, arguments):
    workers = [context.Process(target=work, args=arguments) for _ in range(3)]
    for worker in workers:
        worker.start()
    return workers


def main():
    context = multiprocessing.get_context(sys.argv[1])
    locks, ready = make_locks(context)
    memory = make_memory()
    workers = start_workers(context, (ready,))
    while ready.value < len(workers):
        time.sleep(0.01)
    print(f"{len(locks)} locks, {memory.size} bytes, {len(workers)} workers", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


if __name__ == "__main__":
    main()
