#!/usr/bin/env python3
"""Derives the table of preload/python/layouts.cpp from the headers of installed CPythons.

    layouts.py PYTHON...               prints one row a version
    layouts.py --check FILE PYTHON...  exit 1 when FILE lacks a row, or has another one

An interpreter without its headers is skipped. Constants that layouts.h declares once for
all versions are asserted here, for each version.
"""
import os
import subprocess
import sys
import sysconfig
import tempfile

# What the interpreter itself tells.
ASK = """
import sys, sysconfig
frame = sys._getframe()
print(sys.version_info[0]); print(sys.version_info[1])
print(sysconfig.get_paths()['include'] if sys.version_info[0] > 2 else sysconfig.get_path('include'))
print(type(frame).__basicsize__); print(type(frame.f_code).__basicsize__)
print(bool(hasattr(sys, 'gettotalrefcount') or sysconfig.get_config_var('Py_GIL_DISABLED')))
"""

PROGRAM = r"""
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#define Py_BUILD_CORE 1
#include <Python.h>
#include <frameobject.h>
#if PY_VERSION_HEX >= 0x03090000
#include <internal/pycore_interp.h>
#elif PY_VERSION_HEX >= 0x03080000
#include <internal/pycore_pystate.h>
#elif PY_VERSION_HEX >= 0x03070000
#include <internal/pystate.h>
#endif
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_frame.h>
#endif
#if PY_MAJOR_VERSION == 2
#define PyBytesObject PyStringObject
#endif

static void row(const char* name, unsigned long value) { printf("%s %lu\n", name, value); }
#define AT(name, type, member) row(#name, offsetof(type, member))

int main(void) {
#if PY_VERSION_HEX >= 0x030c0000
  /* Not needed, and not the same in every release of a version. */
#elif PY_VERSION_HEX >= 0x030b0000
  AT(interpreter_next, PyInterpreterState, next);
  AT(interpreter_threads, PyInterpreterState, threads.head);
#else
  AT(interpreter_next, PyInterpreterState, next);
  AT(interpreter_threads, PyInterpreterState, tstate_head);
#endif
  AT(thread_next, PyThreadState, next);
  AT(thread_id, PyThreadState, thread_id);
#if PY_VERSION_HEX >= 0x03040000 && PY_VERSION_HEX < 0x030d0000
  AT(thread_end_lock, PyThreadState, on_delete_data);
#endif
#if PY_VERSION_HEX >= 0x030d0000
  AT(thread_frame, PyThreadState, current_frame);
#elif PY_VERSION_HEX >= 0x030b0000
  AT(thread_frame, PyThreadState, cframe);
  AT(cframe_frame, _PyCFrame, current_frame);
#else
  AT(thread_frame, PyThreadState, frame);
#endif

#if PY_VERSION_HEX >= 0x030d0000
  AT(frame_code, _PyInterpreterFrame, f_executable);
  AT(frame_position, _PyInterpreterFrame, instr_ptr);
#elif PY_VERSION_HEX >= 0x030b0000
  AT(frame_code, _PyInterpreterFrame, f_code);
  AT(frame_position, _PyInterpreterFrame, prev_instr);
#else
  AT(frame_code, PyFrameObject, f_code);
  AT(frame_back, PyFrameObject, f_back);
  AT(frame_position, PyFrameObject, f_lasti);
#endif
#if PY_VERSION_HEX >= 0x030b0000
  AT(frame_back, _PyInterpreterFrame, previous);
  AT(frame_owner, _PyInterpreterFrame, owner);
  AT(code_instructions, PyCodeObject, co_code_adaptive);
  AT(code_first_traceable, PyCodeObject, _co_firsttraceable);
  if (FRAME_OWNED_BY_GENERATOR != 1) return 2;
#endif
#if PY_VERSION_HEX >= 0x030c0000
  if (FRAME_OWNED_BY_CSTACK != 3) return 2;
#endif

  AT(code_filename, PyCodeObject, co_filename);
  AT(code_name, PyCodeObject, co_name);
  AT(code_firstlineno, PyCodeObject, co_firstlineno);
#if PY_VERSION_HEX >= 0x030a0000
  AT(code_lines, PyCodeObject, co_linetable);
#else
  AT(code_lines, PyCodeObject, co_lnotab);
#endif
  AT(bytes_data, PyBytesObject, ob_sval);

#if PY_MAJOR_VERSION == 3
  row("ascii_data", sizeof(PyASCIIObject));
  row("compact_data", sizeof(PyCompactUnicodeObject));
  if (offsetof(PyUnicodeObject, data) != sizeof(PyCompactUnicodeObject)) return 3;
  if (offsetof(PyASCIIObject, length) != 16 || offsetof(PyASCIIObject, state) != 32) return 3;
  PyASCIIObject text;
  unsigned bits;
#define BITS(field, value, expected) \
  memset(&text, 0, sizeof text); \
  text.state.field = value; \
  memcpy(&bits, &text.state, sizeof bits); \
  if (bits != (expected)) return 4;
  BITS(kind, 7, 7u << 2)
  BITS(compact, 1, 1u << 5)
  BITS(ascii, 1, 1u << 6)
  if (Py_TPFLAGS_BYTES_SUBCLASS != 1ul << 27) return 5;
#else
  if (Py_TPFLAGS_STRING_SUBCLASS != 1l << 27) return 5;
#endif
  if (Py_TPFLAGS_UNICODE_SUBCLASS != 1ul << 28) return 5;
  if (offsetof(PyObject, ob_type) != 8 || offsetof(PyVarObject, ob_size) != 16) return 6;
  if (offsetof(PyTypeObject, tp_name) != 24 || offsetof(PyTypeObject, tp_basicsize) != 32) return 6;
  if (offsetof(PyTypeObject, tp_flags) != 168) return 6;
  return 0;
}
"""

FIELDS = [
    ["interpreter_next", "interpreter_threads"],
    ["thread_next", "thread_id", "thread_frame", "cframe_frame", "thread_end_lock"],
    ["frame_code", "frame_back", "frame_position", "frame_owner"],
    ["code_filename", "code_name", "code_firstlineno", "code_lines"],
    ["code_instructions", "code_first_traceable"],
    ["bytes_data", "ascii_data", "compact_data"],
    ["frame_size", "code_size"],
]


def line_table(version):
    if version < (3, 0):
        return "lnotab_unsigned"
    if version < (3, 10):
        return "lnotab_signed"
    return "ranges" if version < (3, 11) else "locations"


def derive(python, folder):
    """The (version, row) of one interpreter, or (version, None) without its headers."""
    answer = subprocess.run([python, "-c", ASK], check=True, stdout=subprocess.PIPE,
                            universal_newlines=True).stdout.split("\n")
    version = (int(answer[0]), int(answer[1]))
    include, frame_size, code_size, odd = answer[2], answer[3], answer[4], answer[5]
    if odd == "True" or not os.path.exists(os.path.join(include, "Python.h")):
        return version, None
    source, program = os.path.join(folder, "row.c"), os.path.join(folder, "row")
    with open(source, "w") as out:
        out.write(PROGRAM)
    subprocess.run([os.environ.get("CC", "cc"), "-w", "-I" + include,
                    "-I" + os.path.join(include, "internal"), source, "-o", program], check=True)
    values = {"frame_size": frame_size, "code_size": code_size}
    run = subprocess.run([program], stdout=subprocess.PIPE, universal_newlines=True)
    if run.returncode != 0:
        raise SystemExit("%s: a constant of layouts.h does not hold, check %d" % (python, run.returncode))
    values.update(line.split() for line in run.stdout.splitlines())
    text = "{.version = 0x%02x%02x,\n .line_table = LineTable::%s" % (version + (line_table(version),))
    for group in FIELDS:
        text += ",\n " + ", ".join(".%s = %s" % (name, values.get(name, "absent")) for name in group)
    return version, text + "},\n"


def main(arguments):
    checked = None
    if arguments[:1] == ["--check"]:
        with open(arguments[1]) as source:
            checked, arguments = source.read(), arguments[2:]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for python in arguments:
            version, row = derive(python, folder)
            name = "%d.%d" % version
            if row is None:
                print("%s: skipped, no headers (%s)" % (name, python))
            elif checked is None:
                sys.stdout.write(row)
            elif row in checked:
                print("%s: table agrees with the headers" % name)
            else:
                print("%s: table differs, expected\n%s" % (name, row))
                failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
