# -*- coding: utf-8 -*-
"""What the scripts here share: the probe, the truth according to Python, and their comparison.

Runs on Python 2.7 and on every 3.x. LEFTOVER_PYTHON_PROBE names the probe library;
LEFTOVER_PYTHON_TABLE=1: this version's structures are known; LEFTOVER_PYTHON_PRELOADED: the probe is.
"""
import ctypes
import os
import sys

MAX_BYTES = 255
DEFAULT, CAREFUL, API = 0, 1, 2

path = os.environ["LEFTOVER_PYTHON_PROBE"]
free = ctypes.CDLL(path)  # releases the GIL around a call
held = ctypes.PyDLL(path)  # keeps it
for library in (free, held):
    library.probe_detect.argtypes = [ctypes.c_char_p]
    library.probe.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.probe_with.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t]
    library.probe_time.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_size_t]
    library.probe_time.restype = ctypes.c_int64
    library.probe_foreign_thread.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.probe_child.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t]
    library.probe_in_handler.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.probe_watch.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]
    library.probe_callback_thread.argtypes = [ctypes.c_void_p]
    library.probe_lines.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int,
                                    ctypes.POINTER(ctypes.c_int)]

if "LEFTOVER_PYTHON_PRELOADED" in os.environ:
    assert free.probe_version() >= 0, "Python was not detected before main"
assert free.probe_detect(None) == 1, "Python is not detected"
version = free.probe_version()
has_layout = version > 0
if os.environ.get("LEFTOVER_PYTHON_TABLE") == "1":
    assert version == sys.version_info[0] << 8 | sys.version_info[1], "not the table of this version"
# (name, library, way); without a table only the API is left, which needs the GIL
WAYS = [("held", held, DEFAULT), ("api", held, API)]
if has_layout:
    WAYS += [("free", free, DEFAULT), ("careful", free, CAREFUL)]
WAYS_WITHOUT_API = [way for way in WAYS if has_layout and way[0] != "api"]
if sys.version_info[0] == 2:
    WAYS = WAYS_WITHOUT_API  # there is no fallback for 2.x

checks = 0
failures = 0


def buffer(size=1 << 20):
    return ctypes.create_string_buffer(size)


def parse(raw):
    frames = []
    for frame in raw.value.decode("utf-8").split(u"\x1e")[:-1]:
        function, file_name, line = frame.split(u"\x1f")
        frames.append((function, file_name, int(line)))
    return frames


def is_surrogate(c):
    return u"\ud800" <= c <= u"\udfff"


def as_text(name):
    """With U+FFFD for a surrogate and, in the byte strings of 2.7, for each byte that is not UTF-8."""
    if not isinstance(name, bytes):
        return u"".join(u"\ufffd" if is_surrogate(c) else c for c in name)
    text = u""
    while name:
        for size in (1, 2, 3, 4):
            try:
                c = name[:size].decode("utf-8")
            except UnicodeDecodeError:
                continue
            if not is_surrogate(c):
                break
        else:
            c, size = u"\ufffd", 1
        text += c
        name = name[size:]
    return text


def shorten(name, keep_end):
    text = as_text(name)
    while len(text.encode("utf-8")) > MAX_BYTES:
        text = text[1:] if keep_end else text[:-1]
    return text


def chain(frame):
    """The truth: every frame from this one outwards."""
    frames = []
    while frame is not None:
        code = frame.f_code
        frames.append((shorten(code.co_name, False), shorten(code.co_filename, True), frame.f_lineno or 0))
        frame = frame.f_back
    return frames


def expect(label, got, want):
    global checks, failures
    checks += 1
    if got == want:
        return True
    failures += 1
    print("FAILED %s" % label)
    for i in range(max(len(got), len(want))):
        left = got[i] if i < len(got) else None
        right = want[i] if i < len(want) else None
        if left != right:
            print("  frame %d: got %r, want %r" % (i, left, right))
            if failures > 3:
                break
    sys.stdout.flush()
    return False


def check(label):
    """The stack of the caller, in every way there is."""
    for name, library, way in WAYS:
        raw, take = buffer(), library.probe_with
        count, want = take(way, raw, len(raw), 1000), chain(sys._getframe())
        got = parse(raw)
        expect("%s (%s)" % (label, name), got, want)
        expect("%s (%s) count" % (label, name), [count], [len(want)])
    return label


def finish():
    print("%s %d checks, %d failed" % (os.path.basename(sys.argv[0]), checks, failures))
    sys.stdout.flush()
    return 1 if failures else 0
