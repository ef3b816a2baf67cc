#!/usr/bin/env python3
"""Names of native code that is hard to name: libraries that are gone by the end, and Rust's functions."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from cases import expect_equal, run_cases
from machine import Machine
from tool import Tool

TOOL = Tool(sandbox.enter())
MACHINE = Machine()

LIBRARY = """
#include <fcntl.h>
#include <sys/mman.h>
static int __attribute__((noinline)) from_%(name)s(void) { return shm_open("/by-%(name)s", O_CREAT | O_RDWR, 0600); }
int make(void) { return from_%(name)s() < 0; }
"""

# Each is loaded, used and unloaded before the next one comes, which then may lie at the same address.
PROGRAM = """
#include <dlfcn.h>
int main(void) {
    static const char* const files[] = {"./libone.so", "./libtwo.so"};
    for (int i = 0; i < 2; ++i) {
        void* library = dlopen(files[i], RTLD_NOW);
        if (library == 0) return 2;
        int (*make)(void) = (int (*)(void))dlsym(library, "make");
        if (make()) return 3;
        if (dlclose(library) != 0) return 4;
        if (dlopen(files[i], RTLD_NOW | RTLD_NOLOAD) != 0) return 5;
    }
    return 0;
}
"""

# As rustc writes its names, old and new.
RUST = """
#include <fcntl.h>
#include <sys/mman.h>
int new_way(void) __asm__("_RNvNtCs1234_7mycrate5cache8make_one");
int old_way(void) __asm__("_ZN7mycrate5cache8make_two17h0123456789abcdefE");
int __attribute__((noinline)) new_way(void) { return shm_open("/new", O_CREAT | O_RDWR, 0600) < 0; }
int __attribute__((noinline)) old_way(void) { return shm_open("/old", O_CREAT | O_RDWR, 0600) < 0; }
int main(void) { return new_way() + old_way(); }
"""


def compile_c(text, name, *options):
    with open(f"{name}.c", "w", encoding="utf-8") as file:
        file.write(text)
    subprocess.run(["cc", "-g", "-O1", *options, "-o", name, f"{name}.c", "-ldl"], check=True)


def functions_by_name(report):
    stacks = {stack["id"]: [frame["function"] for frame in stack["native"]] for stack in report["stacks"]}
    return {leak["name"]: stacks[leak["stack"]] for leak in report["leaks"] if leak["kind"] == "shared_memory"}


def test_unloaded_libraries():
    for name in ("one", "two"):
        compile_c(LIBRARY % {"name": name}, f"lib{name}.so", "-shared", "-fPIC", "-Wl,--build-id")
    compile_c(PROGRAM, "loads")
    report, done = TOOL.report("--", "./loads")
    MACHINE.clear()
    expect_equal(done.returncode, 0, done.stderr)
    found = functions_by_name(report)
    expect_equal(sorted(found), ["/by-one", "/by-two"], "leaks")
    for name in ("one", "two"):
        expect_equal(found[f"/by-{name}"][:4], ["shm_open", f"from_{name}", "make", "main"], f"of lib{name}.so")


def test_rust():
    compile_c(RUST, "rust")
    report, done = TOOL.report("--", "./rust")
    MACHINE.clear()
    expect_equal(done.returncode, 0, done.stderr)
    found = functions_by_name(report)
    expect_equal(found["/new"][:3], ["shm_open", "mycrate::cache::make_one", "main"], "the new way")
    expect_equal(found["/old"][:3], ["shm_open", "mycrate::cache::make_two", "main"], "the old way")


run_cases(globals())
