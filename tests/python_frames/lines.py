"""The line of every instruction of the standard library, against PyCode_Addr2Line."""
import ctypes
import os
import sys
import types

from harness import expect, finish, free, has_layout

if not has_layout:
    print("lines.py skipped: no table for this build")
    sys.exit(0)

addr2line = ctypes.pythonapi.PyCode_Addr2Line
addr2line.argtypes = [ctypes.py_object, ctypes.c_int]
addr2line.restype = ctypes.c_int
STEP = 1 if sys.version_info[0] == 2 else 2
instructions = codes = 0


def compare(code):
    global instructions, codes
    count = len(code.co_code) // STEP
    lines = (ctypes.c_int * count)()
    free.probe_lines(id(code), STEP, count, lines)
    instructions += count
    codes += 1
    for i in range(count):
        want = max(addr2line(code, i * STEP), 0)
        if lines[i] != want:
            expect("%s %s instruction %d" % (code.co_filename, code.co_name, i), [lines[i]], [want])
            break
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            compare(constant)


folder = os.path.dirname(os.__file__)
budget = int(os.environ.get("LEFTOVER_PYTHON_FILES", "150"))
files = []
for root in (folder, os.path.join(folder, "test"), os.path.join(folder, "asyncio"),
             os.path.join(folder, "lib2to3")):
    if os.path.isdir(root):
        files += sorted(os.path.join(root, name) for name in os.listdir(root) if name.endswith(".py"))
files = files[::max(1, len(files) // budget)]
for name in files:
    try:
        with open(name, "rb") as source:
            code = compile(source.read(), name, "exec")
    except (SyntaxError, ValueError):
        continue
    compare(code)

expect("compared enough", [instructions > 20000], [True])
print("lines.py %d instructions of %d code objects" % (instructions, codes))
sys.exit(finish())
