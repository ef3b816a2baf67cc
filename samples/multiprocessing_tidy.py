#!/usr/bin/env python3
# leftover spawn: nothing
# leftover fork: nothing
# leftover forkserver: nothing
"""Pools, queues, managers and shared memory, all of it put away again."""

import concurrent.futures
import multiprocessing
import sys
from multiprocessing import shared_memory


def square(number):
    return number * number


def fill(queue, name, lock):
    memory = shared_memory.SharedMemory(name=name)
    with lock:
        memory.buf[0] += 1
    memory.close()
    queue.put("filled")


def main():
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2) as pool:
        print(pool.map(square, range(5)))
        pool.close()
        pool.join()
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
        print(sorted(executor.map(square, range(3))))

    memory = shared_memory.SharedMemory(create=True, size=100)
    queue = context.Queue()
    lock = context.Lock()
    workers = [context.Process(target=fill, args=(queue, memory.name, lock)) for _ in range(2)]
    for worker in workers:
        worker.start()
    print([queue.get() for _ in workers])
    for worker in workers:
        worker.join()
    print(memory.buf[0])
    memory.close()
    memory.unlink()

    with context.Manager() as manager:
        shared = manager.dict(answer=42)
        print(dict(shared))


if __name__ == "__main__":
    main()
