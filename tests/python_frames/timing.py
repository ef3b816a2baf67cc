"""Microseconds for a capture of ten frames."""
import sys
import threading

from harness import API, DEFAULT, WAYS, free, has_layout, held


def recurse(n, function):
    return function() if n == 0 else recurse(n - 1, function)


def best(library, way, rounds):
    return min(library.probe_time(way, rounds, 10) for _ in range(20)) / 1000.0


results = []


def measure(label, *arguments):
    recurse(12, lambda: results.append("%s %.2f" % (label, best(*arguments))))


def measure_in_thread(*arguments):
    thread = threading.Thread(target=measure, args=arguments)
    thread.start()
    thread.join()


if has_layout:
    measure("with the GIL", held, DEFAULT, 1000)
    measure("without", free, DEFAULT, 1000)
    measure_in_thread("without, in a thread", free, DEFAULT, 100)
if sys.version_info[0] > 2:
    measure("C API", held, API, 100)
print("10 frames in us: " + ", ".join(results))
