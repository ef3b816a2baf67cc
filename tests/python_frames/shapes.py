# -*- coding: utf-8 -*-
"""Stacks of every shape that Python 2.7 and 3.x have in common."""
import functools
import os
import sys
import threading
import traceback

from harness import (API, CAREFUL, DEFAULT, WAYS, buffer, chain, check, expect, finish, free, has_layout,
                     held, parse, shorten)

check("module level")


def plain():
    check("plain function")


plain()


class Klass(object):
    attribute = check("class body")

    def method(self):
        check("method")

    @classmethod
    def of_class(cls):
        check("class method")

    @staticmethod
    def static():
        check("static method")

    @property
    def value(self):
        return check("property")

    def __enter__(self):
        check("__enter__")
        return self

    def __exit__(self, *ignored):
        check("__exit__")

    def __call__(self):
        check("__call__")

    def __lt__(self, other):
        check("__lt__ below sort")
        return id(self) < id(other)

    def __del__(self):
        check("__del__")


k = Klass()
k.method()
Klass.of_class()
Klass.static()
k.value
k()
sorted([k, Klass()])
with k:
    check("with")
del k


def outer(n):
    def inner(m):
        check("nested function")
        return n + m

    return inner(1)


outer(2)
(lambda: check("lambda"))()
[check("list comprehension") for _ in range(1)]
{check("set comprehension") for _ in range(1)}
{i: check("dict comprehension") for i in range(1)}
list(map(lambda i: check("map"), range(1)))
[[check("nested comprehension") for _ in range(1)] for _ in range(1)]


def generate():
    yield check("generator")
    try:
        yield check("generator resumed")
    finally:
        check("generator finally")


def chained():
    for value in generate():
        yield value


list(chained())
stopped = generate()
next(stopped)
check("beside a suspended generator")
next(stopped)
stopped.close()
list(check("generator expression") for _ in range(1))


def decorate(function):
    check("decorator")

    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


@decorate
def decorated(argument):
    check("decorated")


decorated(1)
functools.partial(decorated, 2)()


def raiser():
    raise ValueError("a pending exception")


def handlers():
    try:
        raiser()
    except ValueError:
        check("except")
    finally:
        check("finally")
    try:
        check("try")
    finally:
        check("finally without exception")
    try:
        raiser()
    except ValueError:
        try:
            raise KeyError(1)
        except KeyError:
            check("nested except")
        kept = sys.exc_info()[0]
        expect("exception in handling is kept", [kept], [ValueError if sys.version_info[0] > 2 else KeyError])


handlers()


def several_lines(*arguments):
    return check("argument of a call of several lines")


def multi_line():
    several_lines(
        1,
        check("first argument"),

        2,
        check(
            "second argument"
        ),
    )
    result = [
        check("in a list of several lines"),
        (
            several_lines(1) or
            several_lines(2)
        ),
        several_lines(3),
    ]
    return (
        several_lines(4),
        result
    )


multi_line()


def loops():
    for i in range(3):
        if i == 1:
            check("loop")
            continue
        while True:
            check("while")
            break
    else:
        check("else of a loop")
    x = 1; check("several statements on a line"); x = 2
    return x


loops()


def recurse(n):
    return check("recursion to %d" % n) if n == 0 else recurse(n - 1)


recurse(1)
recurse(500)


def limits():
    want = chain(sys._getframe())
    for name, library, way in WAYS:
        for most in (0, 1, 2, 3, 1000):
            raw = buffer()
            count = library.probe_with(way, raw, len(raw), most)
            got = parse(raw)
            expect("at most %d (%s)" % (most, name), got[1:], want[1:][:max(most - 1, 0)])
            expect("count for %d (%s)" % (most, name), [count], [min(most, len(want))])


limits()


def deep(n):
    if n:
        return deep(n - 1)
    limits()


deep(20)

# Code from strings: file names and lines that no file has.
for file_name in ("<string>", "x", "", "a" * 254 + ".py", "b" * 255, "c" * 256, "/d" * 400 + "/end.py"):
    code = compile("\n" * 5 + "def f():\n    check('compiled')\nf()\n", file_name, "exec")
    exec(code, {"check": check})
eval("check('eval')")
exec("check('exec')", {"check": check})
name = "f" * 300
exec("def %s():\n  check('long function name')\n%s()" % (name, name), {"check": check})

# More lines or more code between two lines than one entry of a table holds.
for gap in (1, 100, 127, 128, 129, 254, 255, 256, 257, 1000, 70000):
    source = "def f():\n  check('gap')\n%s  check('gap')\n  for i in (1, 2):%s\n    check('gap')\nf()\n" % ("\n" * gap, "\n" * gap)
    exec(compile(source, "gap%d" % gap, "exec"), {"check": check})
for size in (10, 60, 300, 3000, 20000):
    source = "def f(a):\n  x = [%s]\n  check('code')\n  y = [%s\n  check('code'), a]\nf(1)\n" % (
        "a, " * size, "a, " * size)
    exec(compile(source, "size%d" % size, "exec"), {"check": check})
lines = ["def f(n):"]
for i in range(1500):
    lines.append("  if n == %d: check('branch')" % i)
    if i % 100 == 0:
        lines.append("  while n == %d:\n    check('loop in a long function')\n    break" % i)
lines.append("for i in (0, 1, 99, 100, 700, 1499): f(i)")
exec(compile("\n".join(lines), "long", "exec"), {"check": check})
# Lines that go backwards: the target of a call of several lines, a decorator's function.
source = "def g(*a): check('backwards')\ndef f():\n  g(1,\n%s    g(2),\n    3)(\n    4) if g(5) else g(\n\n\n   g(6))\nf()\n" % ("\n" * 300)
exec(compile(source, "backwards", "exec"), {"check": check})

# Threads.


def worker():
    check("thread")
    recurse(10)


class Worker(threading.Thread):
    def run(self):
        check("thread class")


for thread in [threading.Thread(target=worker) for _ in range(4)] + [Worker()]:
    thread.start()
    thread.join()


def with_others():
    done = threading.Event()
    others = [threading.Thread(target=done.wait) for _ in range(3)]
    spinning = []

    def spin():
        while not done.is_set():
            spinning.append(1)
            del spinning[:]

    others.append(threading.Thread(target=spin))
    for other in others:
        other.start()
    for _ in range(20):
        check("while other threads run")
        worker_thread = threading.Thread(target=worker)
        worker_thread.start()
        worker_thread.join()
    done.set()
    for other in others:
        other.join()


with_others()


def foreign():
    raw = buffer()
    expect("thread without Python", [free.probe_foreign_thread(raw, len(raw)), raw.value], [0, b""])
    expect("thread without Python, GIL held elsewhere",
           [held.probe_foreign_thread(raw, len(raw)), raw.value], [0, b""])


foreign()


def called_back():
    import ctypes

    @ctypes.CFUNCTYPE(None)
    def function():
        check("Python called back")

    free.probe_callback_thread(function)
    # And on this thread.
    import ctypes.util
    libc = ctypes.CDLL(None)
    array = (ctypes.c_int * 3)(3, 1, 2)

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    def compare(a, b):
        check("called back below qsort")
        return 0

    libc.qsort(array, 3, 4, compare)


called_back()

# Children.


def wait_ok(label, pid):
    expect(label, [os.waitpid(pid, 0)[1]], [0])


def forked(label):
    import harness
    pid = os.fork()
    if pid == 0:
        harness.failures = 0
        check(label)
        thread = threading.Thread(target=worker)
        thread.start()
        thread.join()
        foreign()
        sys.stdout.flush()
        os._exit(harness.failures)
    wait_ok(label, pid)


forked("forked child")
thread = threading.Thread(target=forked, args=("child forked by a thread",))
thread.start()
thread.join()


def forked_in_c():
    for how in (0, 1, 2):
        for library in (free, held):
            if library is free and not has_layout:
                continue
            raw = buffer(8192)
            count, want = library.probe_child(how, raw, len(raw)), chain(sys._getframe())
            expect("C child %d" % how, [count] + parse(raw), [len(want)] + want)


forked_in_c()
thread = threading.Thread(target=forked_in_c)
thread.start()
thread.join()


def in_pool(argument):
    import harness
    harness.failures = 0
    check("multiprocessing")
    return harness.failures


def multiprocess():
    import multiprocessing
    pool = multiprocessing.Pool(2)
    expect("multiprocessing workers", pool.map(in_pool, range(4)), [0] * 4)
    pool.close()
    pool.join()


multiprocess()

# Signals.


def on_signal(number, frame):
    check("Python's signal handler")


def signalled():
    import signal
    signal.signal(signal.SIGUSR1, on_signal)
    os.kill(os.getpid(), signal.SIGUSR1)
    for _ in range(100):
        pass
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    for library in (free, held):
        if library is free and not has_layout:
            continue
        raw = buffer()
        count, want = library.probe_in_handler(raw, len(raw)), chain(sys._getframe())
        expect("C signal handler", [count] + parse(raw), [len(want)] + want)


signalled()

# Tracing and profiling.


def traced():
    def trace(frame, event, argument):
        if frame.f_code.co_name == "victim":
            check("in a trace function: " + event)
        return trace

    def victim(n):
        x = [i for i in
             range(n)]
        check("traced")
        for i in x:
            several_lines(
                i)
        try:
            raise KeyError
        except KeyError:
            check("traced except")
        return x

    old = sys.gettrace()
    sys.settrace(trace)
    try:
        victim(2)
    finally:
        sys.settrace(old)
    sys.setprofile(lambda frame, event, argument: None)
    victim(2)
    sys.setprofile(None)


traced()


def profiled():
    import cProfile
    profile = cProfile.Profile()
    profile.runcall(plain)


profiled()


def in_all_ways():
    for name, library, way in WAYS:
        expect("errno (%s)" % name, [library.probe_errno(way)], [4711])
    frames = traceback.extract_stack(); raw = buffer(); held.probe(raw, len(raw))
    want = [(shorten(f[2], False), shorten(f[0], True), f[1]) for f in reversed(frames)]
    expect("traceback.extract_stack", parse(raw), want)


in_all_ways()


def uncounted():
    """Nothing leaks a reference and nothing replaces the pending exception."""
    frame = sys._getframe()
    code = frame.f_code
    none = None
    raw = buffer()
    for name, library, way in WAYS:
        before = [sys.getrefcount(code), sys.getrefcount(code.co_name), sys.getrefcount(code.co_filename)]
        frames = sys.getrefcount(frame)
        for _ in range(100):
            library.probe_with(way, raw, len(raw), 1000)
        after = [sys.getrefcount(code), sys.getrefcount(code.co_name), sys.getrefcount(code.co_filename)]
        expect("reference counts (%s)" % name, after + [sys.getrefcount(frame)], before + [frames])


uncounted()


def storm(work, microseconds):
    """A signal handler may see the interpreter between two stores: no harm comes of it, and hardly ever
    (up to 3.10, never) a stack that is cut."""
    free.probe_storm(microseconds)
    work()
    count, cut = free.probe_storm(0), free.probe_storm_cut()
    allowed = 0 if sys.version_info < (3, 11) else count // 100
    expect("storm: %d of %d cut" % (cut, count), [cut <= allowed, count > 0], [True, True])
    return count


def busy():
    import json
    import re
    import time
    end = time.time() + 0.5

    def numbers(n):
        for i in range(n):
            yield i

    while time.time() < end:
        sorted(numbers(50), key=lambda i: -i)
        json.loads(json.dumps({"a": [1, 2, {"b": "c"}], "d": None}))
        [Plain(i) for i in range(10)]
        re.sub("a+", lambda match: match.group(0)[1:], "aabbaaa")
        try:
            raiser()
        except ValueError:
            pass
        exec("x = 1\ndef f(): return x\nf()", {})


class Plain(object):
    def __init__(self, n):
        self.n = n


if has_layout:
    storm(busy, 250)

sys.exit(finish())
