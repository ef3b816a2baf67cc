#!/usr/bin/env python3
"""Python frames against the truth, for every CPython on this machine.

    run.py BUILD_DIR

LEFTOVER_PYTHONS, a list with colons, names the interpreters; otherwise it is those of pyenv
(~/.pyenv/versions), the one that runs this and the system's. A line for each; exit 1 when anything
failed.
"""
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
KNOWN = ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]

ASK = """
import sys, sysconfig
value = sysconfig.get_config_var
print("%d.%d" % sys.version_info[:2]); print(sys.version.split()[0]); print(sys.prefix)
print(value("LIBDIR")); print(value("LDLIBRARY")); print(value("INSTSONAME"))
print(bool(hasattr(sys, "gettotalrefcount") or value("Py_GIL_DISABLED")))
"""


class Python:
    def __init__(self, path):
        self.path = path
        answer = run([path, "-c", ASK]).stdout.split("\n")
        self.version, self.release, self.prefix, libdir, linked, soname, unusual = answer[:7]
        self.has_table = self.version in KNOWN and unusual == "False"
        self.libpython = os.path.join(libdir, soname)
        # libpythonX.Y.so: what the linker is given; absent where only the executable has Python.
        self.development = os.path.join(libdir, linked)


def run(command, **variables):
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONWARNINGS="ignore", **variables)
    for name in ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONMALLOC"):
        environment.pop(name, None)
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                          universal_newlines=True)


def commands(python, probe, embedder, folder):
    """(what, command, environment) of each test of one interpreter."""
    script = lambda name, *arguments: [python.path, os.path.join(HERE, name)] + list(arguments)
    with_probe = {"LEFTOVER_PYTHON_PROBE": probe, "LEFTOVER_PYTHON_TABLE": str(int(python.has_table))}
    scripts = [("shapes.py",), ("names.py",), ("lines.py",), ("subinterpreters.py",),
               ("endings.py", "teardown")] + [("endings.py", "daemons", str(20 + i)) for i in range(5)]
    if python.version != "2.7":
        scripts.insert(1, ("shapes3.py",))
    for arguments in scripts:
        yield " ".join(arguments), script(*arguments), with_probe
    preloaded = dict(with_probe, LD_PRELOAD=probe, LEFTOVER_PYTHON_PRELOADED="1")
    yield "preloaded", script("names.py"), preloaded
    if python.has_table and python.version != "2.7":
        yield "remote.py", [sys.executable, os.path.join(HERE, "remote.py"), python.path], with_probe
    if python.has_table and os.path.exists(python.libpython):
        home = {"PYTHONHOME": python.prefix}
        yield "loading embedder", [embedder, probe, python.libpython], home
        linked = link_embedder(python, folder)
        if linked is not None:
            yield "linked embedder", [linked, probe], home


def link_embedder(python, folder):
    """Not position-independent, so that Python's types are copied into it, and with the old kind of
    symbol table; None if it cannot be had."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None or not re.search(r"\.so$", python.development) or not os.path.exists(python.development):
        return None
    program = os.path.join(folder, "embedder-" + python.release)
    subprocess.run([compiler, "-DLINKED", "-fno-pic", "-no-pie", os.path.join(HERE, "embedder.c"),
                    "-o", program, python.development, "-Wl,-rpath," + os.path.dirname(python.libpython),
                    "-Wl,--hash-style=sysv",
                    "-ldl", "-lpthread"], check=True)
    return program


def test(python, probe, embedder, folder):
    """(passed, the lines to print)."""
    checks, failures = 0, []
    for what, command, environment in commands(python, probe, embedder, folder):
        try:
            result = run(command, **environment)
            status, output = result.returncode, result.stdout
        except subprocess.TimeoutExpired:
            status, output = "no end", ""
        checks += sum(int(number) for number in re.findall(r"(\d+) checks", output))
        if status != 0 or (what == "endings.py teardown" and "no frames in finalisation" not in output):
            tail = "".join("    %s\n" % line for line in output.splitlines()[-25:])
            failures.append("  FAILED %s: status %s\n%s" % (what, status, tail))
    line = "%-8s %s: %d checks (%s)" % (python.release, "FAILED" if failures else "ok", checks, python.path)
    return not failures, "\n".join([line] + failures)


def find_pythons():
    named = os.environ.get("LEFTOVER_PYTHONS")
    if named:
        paths = named.split(":")
    else:
        paths = glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python"))
        paths += [sys.executable, "/usr/bin/python3"]
    pythons = {}
    for path in paths:
        if os.access(path, os.X_OK) and run([path, "-c", "import ctypes"]).returncode == 0:
            pythons.setdefault(os.path.realpath(path), Python(path))
    return sorted(pythons.values(), key=lambda python: [int(n) for n in re.findall(r"\d+", python.release)])


def find_built(build, name):
    for folder in (os.path.join(build, "tests", "python_frames"), build):
        if os.path.exists(os.path.join(folder, name)):
            return os.path.join(folder, name)
    sys.exit("%s is not in %s" % (name, build))


def main():
    build = os.path.abspath(sys.argv[1])
    probe = find_built(build, "libleftover_python_probe.so")
    embedder = find_built(build, "leftover_python_embedder")
    pythons = find_pythons()
    if not pythons:
        print("no CPython with ctypes here")
        return 77
    passed = True
    if shutil.which(os.environ.get("CC", "cc")) is not None:
        table = os.path.join(SOURCE, "preload", "python", "layouts.cpp")
        result = run([sys.executable, os.path.join(HERE, "layouts.py"), "--check", table]
                     + [python.path for python in pythons])
        passed = result.returncode == 0
        print(result.stdout, end="", flush=True)
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for ok, text in pool.map(lambda python: test(python, probe, embedder, folder), pythons):
            passed = passed and ok
            print(text, flush=True)
    for python in pythons:  # when nothing else runs
        result = run([python.path, os.path.join(HERE, "timing.py")], LEFTOVER_PYTHON_PROBE=probe)
        print("%-8s %s" % (python.release, result.stdout.strip()), flush=True)
        passed = passed and result.returncode == 0
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
