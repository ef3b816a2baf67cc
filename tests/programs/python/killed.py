"""killed.py METHOD FILE: makes locks and workers, writes its pid to FILE, and waits for its end."""

import multiprocessing
import os
import sys
import time


def work(ready):
    with ready.get_lock():
        ready.value += 1
    while True:
        time.sleep(600)


def make_locks(context):
    locks = []
    for _ in range(100):
        locks.append(context.Lock())  # line: locks
    return locks


def main():
    context = multiprocessing.get_context(sys.argv[1])
    locks = make_locks(context)
    ready = context.Value("i", len(locks) - 100)  # line: value
    workers = [context.Process(target=work, args=(ready,)) for _ in range(4)]
    for worker in workers:
        worker.start()  # line: start
    while ready.value < len(workers):
        time.sleep(0.01)
    with open(sys.argv[2], "w") as file:
        file.write("%d\n" % os.getpid())
    time.sleep(600)


if __name__ == "__main__":
    main()
