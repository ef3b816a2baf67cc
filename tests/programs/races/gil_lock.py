"""gil_lock.py LIBRARY COUNT: one thread, without the GIL, holds a C lock while it creates; others, with
the GIL, wait for that lock."""

import ctypes
import sys
import threading

without_gil = ctypes.CDLL(sys.argv[1])
with_gil = ctypes.PyDLL(sys.argv[1])
COUNT = int(sys.argv[2])
made = []


def create():
    for _ in range(COUNT):
        made.append(without_gil.create_while_locked(b"/gil-lock"))


def main():
    creator = threading.Thread(target=create)
    creator.start()
    waited = 0
    while len(made) < COUNT:
        waited += with_gil.wait_for_the_lock()
    creator.join()
    sys.stdout.write("%d of %d\n" % (sum(made), COUNT))


main()
