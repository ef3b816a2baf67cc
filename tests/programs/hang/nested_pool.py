"""A pool made inside another pool's worker, whose tasks raise. The argument says what becomes of it:

    keep       never shut down, and a reference stays: CPython 3.9 to 3.12 hang at the exit
    shutdown   shut down
    drop       no reference is kept
    collect    one in a cycle of references, which the collector breaks
"""
import concurrent.futures as futures
import gc
import multiprocessing
import sys

SPAWN = multiprocessing.get_context("spawn")
KEPT = []


def inner_task(number):
    raise ValueError(number)


def wait_for_all(tasks, error):
    for task in tasks:
        try:
            task.result()
        except error:
            pass


def outer_task(way):
    inner = futures.ProcessPoolExecutor(1, mp_context=SPAWN)  # the inner pool
    wait_for_all([inner.submit(inner_task, i) for i in range(4)], ValueError)
    if way == "keep":
        KEPT.append(inner)
    elif way == "shutdown":
        inner.shutdown()
    elif way == "drop":
        del inner  # before the exception, whose traceback holds this frame
    elif way == "collect":
        ring = [inner]
        ring.append(ring)
        del ring, inner
        gc.collect()
    raise RuntimeError(way)


def main():
    with futures.ProcessPoolExecutor(2, mp_context=SPAWN) as outer:
        wait_for_all([outer.submit(outer_task, sys.argv[1]) for _ in range(2)], RuntimeError)


if __name__ == "__main__":
    main()
