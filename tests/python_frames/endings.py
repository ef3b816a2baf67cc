"""How interpreters end: at exit there are frames, from the start of finalisation on there are none, and
daemon threads that capture all the while come to no harm.

    endings.py teardown | daemons MILLISECONDS
"""
import atexit
import os
import sys
import threading
import time

import harness
from harness import DEFAULT, buffer, check, expect, free, has_layout, held


def at_exit():
    check("atexit")
    if harness.failures:
        os._exit(1)


class Last(object):
    """Deleted when Python takes the modules apart: finalisation has begun."""

    def __init__(self):
        self.raw = buffer()

    def __del__(self, free=free, held=held, write=os.write, leave=os._exit):
        for library in (free, held):
            count = library.probe(self.raw, len(self.raw))
            if count != 0 or library.probe_foreign_thread(self.raw, len(self.raw)) != 0:
                write(2, b"FAILED frames while Python finalises\n")
                leave(1)
        write(1, b"no frames in finalisation\n")


def late():
    time.sleep(0.1)
    check("thread that the interpreter waits for")


def spin_free():
    while True:
        free.probe_spin(DEFAULT, 10000)


def spin_between():
    def recurse(n):
        if n == 0:
            free.probe_spin(DEFAULT, 1)
            held.probe_spin(DEFAULT, 0)
        else:
            recurse(n - 1)

    while True:
        recurse(30)


def start(function, daemon):
    thread = threading.Thread(target=function)
    thread.daemon = daemon
    thread.start()


if sys.argv[1] == "teardown":
    atexit.register(at_exit)
    last = Last()
    start(late, False)
else:
    for _ in range(2):
        start(spin_free, True)
        start(spin_between, True)
    time.sleep(int(sys.argv[2]) / 1000.0)
