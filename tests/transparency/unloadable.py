#!/usr/bin/env python3
# ctest: timeout=300 transparency
"""What the shim cannot be loaded into, at any depth and after any other program: not a word from the
loader, and each sees the environment that it sees without leftover."""

import itertools
import os
import random
import re
import shutil
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import full, plainly, prepared, seen, subject, write

harness.enter()

import sandbox

# Says who it is and what it sees, and runs what follows: by exec, or (-) as a child.
STEP = """
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef CONTAINER
#include <sys/mount.h>
#include <sys/syscall.h>
#endif
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static int order(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }
int main(int count, char **words) {
    int n = 0;
    while (environ[n]) n++;
    char *sorted[4096];
    memcpy(sorted, environ, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, order);
    printf("%s %d %d:", words[0], (int)geteuid(), (int)getuid());
    for (int i = 0; i < n; i++) if (sorted[i][0] == 'L') printf(" %s", sorted[i]);
    printf(" (%d)\\n", n);
    fflush(stdout);
#ifdef DROP
    if (setgid(65534) != 0 || setuid(65534) != 0) return 80;
#endif
#ifdef ROOT
    if (chroot(ROOT) != 0 || chdir("/") != 0) return 81;
#endif
#ifdef CONTAINER  /* as container engines do it: the old root is gone */
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", 0, MS_REC | MS_PRIVATE, 0) != 0 ||
        mount(CONTAINER, CONTAINER, 0, MS_BIND, 0) != 0 || chdir(CONTAINER) != 0 ||
        syscall(SYS_pivot_root, ".", "old") != 0 || chdir("/") != 0 || umount2("/old", MNT_DETACH) != 0) return 85;
#endif
    if (count < 2) return 7;
    int child = words[1][0] == '-';
    char *program = words[1] + child;
    words[1] = program;
    if (child) {
        pid_t pid = fork();
        if (pid == 0) { execv(program, words + 1); _exit(82); }
        int status = 83;
        waitpid(pid, &status, 0);
        printf("%s: child %d\\n", words[0], status);
        return 8;
    }
    execv(program, words + 1);
    return 84;
}
"""
BIN = "/tmp/work/bin"


def elf_hash(name):
    value = 0
    for byte in name:
        value = (value << 4) + byte
        value = (value ^ value >> 24 & 0xf0) & 0x0fffffff
    return struct.pack("=I", value)


def older_glibc():
    """The loader of a C library like the machine's own, but that it has nothing of version 2.35, which the shim needs."""
    folder = f"{BIN}/older-glibc"
    os.makedirs(folder, exist_ok=True)
    copied = None
    for word in prepared(["ldd", f"{BIN}/normal"]).split():
        name = os.path.basename(word)
        if not word.startswith("/") or not name.startswith(("ld-linux", "libc.so")):
            continue
        with open(word, "rb") as file:
            content = file.read()
        there, gone = b"GLIBC_2.35", b"GLIBC_2.3Z"
        content = content.replace(there + b"\0", gone + b"\0").replace(elf_hash(there), elf_hash(gone))
        with open(f"{folder}/{name}", "wb") as file:
            file.write(content)
        os.chmod(f"{folder}/{name}", 0o755)
        if name.startswith("ld-linux"):
            copied = f"{folder}/{name}"
    return copied


def kinds():
    """{kind: path} of the program in every way this machine can build and install it."""
    os.makedirs(BIN, exist_ok=True)
    write(f"{BIN}/step.c", STEP)
    found = {}

    def build(name, *words):
        path = f"{BIN}/{name}"
        if plainly([*words, "-O1", "-w", "-o", path, f"{BIN}/step.c"]).returncode == 0:
            found[name] = path
        return name in found

    build("normal", "gcc")
    build("static", "gcc", "-static")
    build("static-pie", "gcc", "-static-pie")
    build("bits32", "gcc", "-m32")
    if shutil.which("musl-gcc"):
        build("musl", "musl-gcc")
    if older := older_glibc():
        build("older", "gcc", f"-Wl,--dynamic-linker={older}", f"-Wl,-rpath,{os.path.dirname(older)}")
    script = write(f"{BIN}/script", "#!/bin/sh\necho \"script ${LD_PRELOAD-none}\"\nfirst=${1#-}\n[ $# = 0 ] || "
                   "{ shift; exec \"$first\" \"$@\"; }\n", 0o755)
    found["script"] = script
    if sandbox.has_other_users():
        if build("setuid", "gcc"):
            os.chown(found["setuid"], 65534, 65534)
            os.chmod(found["setuid"], 0o4755)
        if shutil.which("setcap", path=harness.PATH) and build("capable", "gcc"):
            if plainly([shutil.which("setcap", path=harness.PATH), "cap_net_raw+ep", found["capable"]]).returncode != 0:
                del found["capable"]  # a file system without attributes
        build("dropping", "gcc", "-DDROP")
    return found


SPAWN = """
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
extern char **environ;
int main(int count, char **words) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, words[1]);
    pid_t child;
    int status = -1, error = posix_spawn(&child, words[2], &actions, NULL, words + 2, environ);
    if (error == 0) waitpid(child, &status, 0);
    printf("%d %d\\n", error, status);
    return 0;
}
"""


def chains(programs):
    """Every pair, and longer ones by chance, the same each time."""
    names = sorted(programs)
    yield from itertools.product(names, repeat=2)
    dice = random.Random(4)
    for _ in range(150 if full() else 30):
        yield tuple(dice.choice(names) for _ in range(dice.randint(3, 6)))


def run_all(way, parts, tool):
    programs = kinds()
    dice = random.Random(8)
    for chain in chains(programs):
        words = [("-" if depth > 0 and dice.random() < 0.5 else "") + programs[name] for depth, name in enumerate(chain)]
        # What a user preloads into by hand is the user's choice; from the first program on it is ours.
        if chain[0] != "normal":
            words = [programs["normal"]] + words
        parts[" ".join(chain)] = seen(way.run(words, tool=tool))


@subject("what cannot be loaded into", needs=["gcc"])
def any_order(way, parts):
    run_all(way, parts, harness.TOOL)


@subject("a library closed to others", needs=["gcc"])
def closed(way, parts):
    if not sandbox.has_other_users():
        raise harness.Skip("there are no other users here")
    os.makedirs("/tmp/private", mode=0o700, exist_ok=True)
    for file in ("leftover", "libleftover.so"):
        shutil.copy(os.path.join(harness.TOOL, file), "/tmp/private")
    programs = kinds()
    for second in sorted(programs):
        for how in ("", "-"):
            words = [programs["normal"], programs["dropping"], how + programs[second], programs["normal"]]
            parts[how + second] = seen(way.run(words, tool="/tmp/private"))


@subject("spawned in another folder", needs=["gcc"])
def elsewhere(way, parts):
    """By a path that means another file here, or none."""
    programs = kinds()
    write("spawn.c", SPAWN)
    prepared(["gcc", "-O1", "-w", "-o", "spawns", "spawn.c"])
    for name in sorted(programs):
        parts[name] = seen(way.run([os.path.abspath("spawns"), BIN, f"./{name}"]))


@subject("listed, and not run", needs=["gcc", "ldd"])
def listed(way, parts):
    """What packagers and bundlers read: ldd tells of a program what it loads, and of nothing else."""
    program = kinds()["normal"]
    for name, words in (("ldd", ["ldd", program]), ("variable", ["env", "LD_TRACE_LOADED_OBJECTS=1", program]),
                        ("by a shell", ["sh", "-c", f"LD_TRACE_LOADED_OBJECTS= {program}; {program}"])):
        # Where, and in which order, depends on addresses.
        parts[name] = seen(way.run(words), lambda text: "\n".join(sorted(re.sub(r"\(0x[0-9a-f]+\)", "", text).split("\n"))))


@subject("chroot and containers", needs=["gcc", "busybox", "ldd"])
def changed_root(way, parts):
    """Into a root with a C library of its own, where the shim is not."""
    root = os.path.abspath("root")
    programs = kinds()
    for how in ("ROOT", "CONTAINER"):
        prepared(["gcc", "-O1", "-w", f"-D{how}=\"{root}\"", "-o", f"changing-{how}", f"{BIN}/step.c"])
    for folder in ("bin", "lib", "lib64", "old"):
        os.makedirs(f"{root}/{folder}")
    for name in ("normal", "static", "script"):
        shutil.copy(programs[name], f"{root}/bin")
    for program in ("/bin/sh", "/usr/bin/env"):
        shutil.copy(program, f"{root}/bin")
        for word in prepared(["ldd", program]).split():
            if word.startswith("/"):
                os.makedirs(os.path.dirname(root + word), exist_ok=True)
                shutil.copy(word, root + word)
    for words in (["/bin/normal", "/bin/normal"], ["/bin/normal", "-/bin/env"], ["-/bin/static", "/bin/normal"],
                  ["/bin/script", "/bin/normal"], ["-/bin/sh"], ["/bin/env"]):
        for how in ("ROOT", "CONTAINER"):
            try:
                parts[f"{how} {' '.join(words)}"] = seen(way.run([os.path.abspath(f"changing-{how}"), *words],
                                                                env={"A": "b", "PATH": "/bin"}))
            except PermissionError as refused:
                raise harness.Skip("no chroot for this user") from refused


harness.main()
