"""The frames of another process: a Python with a table (3.6 on) that stops in the middle of a call.

    remote.py PYTHON...
"""
import ctypes
import os
import subprocess
import sys

import harness
from harness import buffer, expect, finish, free, parse

CHILD = r"""
import ctypes, os, sys
def chain(frame):
    frames = []
    while frame is not None:
        frames.append((frame.f_code.co_name, frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return frames
def stop():
    state = ctypes.pythonapi.PyThreadState_Get
    state.restype = ctypes.c_void_p
    frame = sys._getframe()
    known = [state(), id(type(frame)), id(type(frame.f_code)), id(str), id(bytes)]
    version = sys.version_info[0] << 8 | sys.version_info[1]
    os.write(1, repr((version, known, chain(frame))).encode() + b"\n"); os.read(0, 1)
class A:
    def method(self, n):
        return self.method(n - 1) if n else [stop() for _ in range(1)]
def generate():
    yield A().method(20)
list(generate())
"""

free.probe_process.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_size_t),
                               ctypes.c_char_p, ctypes.c_size_t]
for python in sys.argv[1:]:
    child = subprocess.Popen([python, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    version, known, want = eval(child.stdout.readline())
    raw = buffer()
    count = free.probe_process(child.pid, version, (ctypes.c_size_t * 5)(*known), raw, len(raw))
    expect("%s in another process" % python, [count] + parse(raw), [len(want)] + want)
    child.communicate(b"x")
sys.exit(finish())
