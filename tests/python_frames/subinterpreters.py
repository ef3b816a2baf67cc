"""Frames in subinterpreters, as far as Python itself can make them (embedder.c does the rest)."""
import os
import sys
import textwrap

import harness
from harness import buffer, check, expect, finish, free, has_layout

try:
    import _interpreters as module
except ImportError:
    try:
        import _xxsubinterpreters as module
    except ImportError:
        print("subinterpreters.py skipped: this Python has none")
        sys.exit(0)


def create(isolated):
    """Whether the new interpreter has a GIL of its own, where that is to be had."""
    if sys.version_info >= (3, 13):
        return module.create("isolated" if isolated else "legacy")
    if sys.version_info >= (3, 9):
        return module.create(isolated=isolated)
    return module.create()


INSIDE = textwrap.dedent("""
    import sys, os
    sys.path.insert(0, FOLDER)
    import harness
    if sys.version_info < (3, 12):
        # Up to 3.11 this thread is known to the API by another state, which does not hold the GIL.
        harness.WAYS = harness.WAYS_WITHOUT_API
    from harness import check
    check("subinterpreter, module level")
    def function(n):
        check("subinterpreter") if n == 0 else function(n - 1)
    function(3)
    import threading
    thread = threading.Thread(target=function, args=(2,))
    thread.start()
    thread.join()
    os.write(RESULT, b"%d" % min(harness.failures, 9))
""")


def shared():
    interpreter = create(False)
    reading, writing = os.pipe()
    source = INSIDE.replace("FOLDER", repr(os.path.dirname(os.path.abspath(__file__))))
    module.run_string(interpreter, source.replace("RESULT", str(writing)))
    os.close(writing)
    expect("failures in a subinterpreter", [os.read(reading, 10)], [b"0"])
    os.close(reading)
    check("outside again, while the subinterpreter exists")
    module.destroy(interpreter)
    check("outside again")


def isolated():
    """One with a GIL of its own cannot load ctypes; a signal handler looks at it instead."""
    interpreter = create(True)
    raw = buffer()
    free.probe_watch(b"in_subinterpreter", raw, len(raw))
    module.run_string(interpreter, textwrap.dedent("""
        import time
        def in_subinterpreter():
            end = time.process_time() + 0.1
            while time.process_time() < end: pass
        def around():
            in_subinterpreter()
        around()
    """))
    free.probe_watch(None, None, 0)
    frames = [(name, file_name) for name, file_name, line in harness.parse(raw)]
    while frames and frames[0][0] != "in_subinterpreter":
        del frames[0]
    want = [("in_subinterpreter", "<string>"), ("around", "<string>"), ("<module>", "<string>")]
    expect("interpreter with its own GIL", frames, want)
    module.destroy(interpreter)
    check("after an interpreter with its own GIL")


shared()
shared()
if has_layout:
    isolated()
sys.exit(finish())
