#!/usr/bin/env python3
# ctest: timeout=300 transparency
"""What developers run: git, make, debuggers, valgrind, and who preloads libraries of their own."""

import glob
import hashlib
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import HERE, full, plainly, prepared, seen, subject, write

harness.enter()

from cases import PATIENCE, wait_for

SOURCE = os.path.abspath(os.path.join(HERE, os.pardir, os.pardir))
MULTIARCH = "/usr/lib/x86_64-linux-gnu" if os.uname().machine == "x86_64" else "/usr/lib/aarch64-linux-gnu"


def without_numbers(text):
    text = re.sub(r"(?m)^==\d+== ?", "==N== ", text)
    text = re.sub(r"0x[0-9A-Fa-f]+", "ADDRESS", text)
    return re.sub(r"(?i)\b(process|pid|lwp|thread) \d+|\b\d{3,}\b", "N", text)


GIT = """
set -e
export GIT_AUTHOR_DATE=2026-01-02T03:04:05Z GIT_COMMITTER_DATE=2026-01-02T03:04:05Z
git config --global user.name tester; git config --global user.email tester@localhost
git config --global protocol.file.allow always; git config --global init.defaultBranch main
mkdir one; cd one; git init -q
for i in $(seq 40); do echo $i > file$i; git add file$i; git commit -q -m "number $i"; done
git checkout -q -b side HEAD~20; echo side > side; git add side; git commit -q -m side
git rebase main; git log --format='%H %s' | head -n 3
git gc -q; git repack -a -d -q; git fsck
cd ..; git clone -q --no-hardlinks one two; git -C two status --short --branch
git clone -q "file://$PWD/one" three; git -C three log --format=%H | sha256sum
git -C one archive HEAD | sha256sum
cd two; git bisect start HEAD HEAD~30 > /dev/null; git bisect run sh -c 'test ! -e file35' | tail -n 3
git submodule add -q "file://$PWD/../one" sub; git commit -q -m sub; git worktree add -q ../four HEAD; git stash list
git -C ../four filter-branch -f --msg-filter 'sed s/number/N/' HEAD~3..HEAD 2>&1 | tail -n 1 || true
git push ../three side:elsewhere 2>&1; git checkout no-such-branch
"""


@subject("git", needs=["git", "perl"])
def git(way, parts):
    environment = dict(os.environ, HOME=os.getcwd(), GIT_PAGER="cat", FILTER_BRANCH_SQUELCH_WARNING="1", GIT_CONFIG_NOSYSTEM="1")
    parts["a day's work"] = seen(way.run(["bash", "-c", GIT], env=environment))


MAKEFILE = """
OBJECTS := $(foreach n,{numbers},part$(n).o)
all: program
program: $(OBJECTS) ; gcc -o $@ $^ && ./program
%.o: %.c ; gcc -O1 -pipe -c -o $@ $<
part%.c: ; @echo "$(shell echo computed >/dev/null)int part$*(void) {{ return $*; }}" > $@
part1.c: ; @printf 'int main(void) {{ return 0; }}\\n' > $@
fails: ; sh -c 'kill -TERM $$$$'
"""


@subject("make and gcc", needs=["make", "gcc", "perl"])
def make(way, parts):
    write("Makefile", MAKEFILE.format(numbers=" ".join(map(str, range(1, 13)))))
    done = way.run(["make", "-j2"])
    lines = sorted(done.stdout.splitlines())
    parts["built"] = f"{done.returncode} {lines} {done.stderr}"
    parts["built again"] = seen(way.run(["make"]))
    parts["fails"] = seen(way.run(["make", "-k", "fails", "all"]))
    parts["program"] = hashlib.sha256(open("program", "rb").read()).hexdigest()
    parts["perl"] = seen(way.run(["perl", "-e", 'for my $i (1..40) { my $p = fork() // die; exit $i unless $p; waitpid $p, 0; '
                                  'print $? >> 8, " ", `echo $i` } open my $f, "|-", "sort -n" or die; '
                                  'print $f "$_\\n" for 3, 1, 2; close $f; $SIG{ALRM} = sub { die "late\\n" }; alarm 1; sleep 60']))


@subject("this project's build", needs=["git", "make", "cmake", "g++", "pkg-config"], quick=False)
def own_build(way, parts):
    parts["clone"] = seen(way.run(["git", "-c", "safe.directory=*", "clone", "-q", "--no-hardlinks", SOURCE, "source"]))
    done = way.run(["cmake", "-S", "source", "-B", "build", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS=-O0",
                    "-DLEFTOVER_TESTS=OFF", f"-DLEFTOVER_LIBUNWIND_SOURCE={SOURCE}/.cache/libunwind/source"])
    parts["cmake"] = re.sub(r"\(.* s\)|\d+\.\d+s", "", seen(done))
    done = way.run(["make", "-C", "build", "-j2", "leftover"], timeout=900)
    # How far it is depends on which of two compilers is done first.
    lines = sorted(re.sub(r"^\[ *\d+%\] ", "", line) for line in done.stdout.splitlines() if "[" in line)
    parts["make"] = "\n".join([str(done.returncode), *lines, done.stderr])
    with open("build/leftover", "rb") as binary:
        parts["binary"] = hashlib.sha256(binary.read()).hexdigest()
    parts["works"] = plainly(["build/leftover", "run", "--help"]).returncode


TWICE = """
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int twice(int x) { return 2 * x; }
static void *run(void *x) { printf("%d\\n", twice(*(int *)x)); return 0; }
int main(int count, char **words) {
    int four = 4;
    pthread_t thread;
    pthread_create(&thread, 0, run, &four);
    pthread_join(thread, 0);
    if (fork() == 0) _exit(3);
    wait(0);
    if (count > 1 && words[1][0] == 's') { printf("%d\\n", getpid()); fflush(stdout); for (;;) pause(); }
    if (count > 1 && words[1][0] == 'c') abort();
    if (count > 1 && words[1][0] == 'm') { int *p = malloc(4); p[2] = system("exit 0"); return 0; }
    return twice(5);
}
"""


def compiled():
    write("program.c", TWICE)
    prepared(["gcc", "-g", "-O0", "-o", "program", "program.c", "-pthread"])


@subject("gdb", needs=["gdb", "gcc"])
def gdb(way, parts):
    compiled()
    words = ["gdb", "-nx", "-q", "-batch", "-ex", "set width 0"]

    def debug(*commands, **how):
        return seen(way.run(words + [word for command in commands for word in ("-ex", command)] + ["./program"], **how), without_numbers)

    parts["run"] = debug("break main", "run", "next", "print four", "continue")
    parts["break in a thread"] = debug("break twice", "run", "bt", "finish", "continue", "bt", "continue")
    # What the two processes and the debugger print comes in any order, in the middle of a line too.
    parts["follow a child"] = "".join(sorted(debug("set follow-fork-mode child", "run")))
    parts["catch"] = debug("catch fork", "run", "continue")
    parts["abort"] = debug("run crash", "bt -1")
    # Attaching: the debugger by itself, the program watched.
    log = open("attached", "w", encoding="utf-8")
    program = way.start(["./program", "sleep"], stdout=log)
    wait_for(lambda: open("attached", encoding="utf-8").read().count("\n") == 2, "the program sleeps")
    pid = open("attached", encoding="utf-8").read().split()[1]
    done = plainly(words + ["-p", pid, "-ex", "bt", "-ex", "info threads", "-ex", "detach"])
    parts["attach"] = [line for line in without_numbers(done.stdout).splitlines() if "main" in line or "pause" in line][-3:]
    os.kill(int(pid), signal.SIGTERM)
    parts["attached ends"] = program.wait(timeout=PATIENCE)


@subject("valgrind", needs=["valgrind", "gcc"])
def valgrind(way, parts):
    compiled()

    def check(*words):
        done = way.run(list(words), timeout=200)
        kept = re.findall(r"(?m)^==\d+== *(Invalid \w+ of size \d+|definitely lost:.*|ERROR SUMMARY: \d+)", done.stderr)
        other = [line for line in done.stderr.splitlines() if not line.startswith("==")]
        return f"{done.returncode} {done.stdout} {kept} {other}"

    parts["memcheck"] = check("valgrind", "--leak-check=full", "./program")
    parts["memcheck finds"] = check("valgrind", "--leak-check=full", "--error-exitcode=9", "./program", "m")
    if full():
        parts["helgrind"] = check("valgrind", "--tool=helgrind", "./program")
        parts["python"] = check("valgrind", "/usr/bin/python3", "-S", "-c", "import os; os.system('true'); print(1)")


@subject("valgrind over a watched program", needs=["valgrind", "gcc"])
def valgrind_inside(way, parts):
    """The shim itself runs in the simulated processor, and nothing new is found."""
    compiled()
    inside = way.words(["./program"])
    environment = dict(os.environ)
    if way.name == "hand":
        environment = way.environment()
        inside = ["env", f"LD_PRELOAD={environment.pop('LD_PRELOAD')}", f"LEFTOVER_OPTIONS={environment.pop('LEFTOVER_OPTIONS')}",
                  *inside]
    else:
        inside = ["env", *inside]
    done = plainly(["valgrind", "-q", "--trace-children=yes", "--error-exitcode=9", *inside], env=environment, timeout=200)
    parts["output"] = f"{done.returncode} {done.stdout} {without_numbers(done.stderr)}"


ALLOCATING = """
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void *churn(void *seed) {
    char *kept[64] = {0};
    unsigned random = *(unsigned *)seed;
    for (int i = 0; i < 200000; i++) {
        int slot = rand_r(&random) % 64;
        free(kept[slot]);
        size_t size = rand_r(&random) % 5000 + 1;
        kept[slot] = i % 7 ? malloc(size) : calloc(1, size);
        memset(kept[slot], i, size);
    }
    for (int i = 0; i < 64; i++) free(kept[i]);
    return 0;
}
int main(void) {
    for (int round = 0; round < 3; round++) {
        pthread_t threads[4];
        unsigned seeds[4] = {1, 2, 3, 4};
        for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, churn, &seeds[i]);
        for (int i = 0; i < 5; i++) {
            pid_t child = fork();
            if (child == 0) { churn(&seeds[0]); _exit(i); }
            int status;
            waitpid(child, &status, 0);
            printf("%d\\n", WEXITSTATUS(status));
        }
        for (int i = 0; i < 4; i++) pthread_join(threads[i], 0);
    }
    fflush(stdout);
    system("echo shell");
    return 4;
}
"""


def allocator(name, library):
    path = f"{MULTIARCH}/{library}"

    @subject(name, needs=[path, "gcc"])
    def one(way, parts):
        write("program.c", ALLOCATING)
        prepared(["gcc", "-O1", "-w", "-o", "program", "program.c", "-pthread", "-Wl,--no-as-needed", path])
        parts["linked"] = seen(way.run(["./program"]))
        python = "import threading, subprocess, os; t = [threading.Thread(target=lambda: [bytearray(n) for n in range(3000)]) " \
                 "for _ in range(4)]; [x.start() for x in t]; print(subprocess.run(['true']).returncode, " \
                 "'leftover' in os.environ.get('LD_PRELOAD', ''), os.environ['LD_PRELOAD']); [x.join() for x in t]"
        parts["preloaded"] = seen(way.run(["/usr/bin/python3", "-c", python], env=dict(os.environ, LD_PRELOAD=path)))
    return one


allocator("jemalloc", "libjemalloc.so.2")
allocator("tcmalloc", "libtcmalloc_minimal.so.4")
allocator("mimalloc", "libmimalloc.so.2")


@subject("libfaketime", needs=["faketime", f"{MULTIARCH}/faketime/libfaketime.so.1"])
def faketime(way, parts):
    library = f"{MULTIARCH}/faketime/libfaketime.so.1"
    # Timed waits hang under libfaketime by themselves.
    python = "import time, subprocess, os; print(time.strftime('%Y'), subprocess.check_output(['date', '+%Y'])); " \
             "p = os.fork() or os._exit(time.gmtime().tm_year - 2000); print(os.waitstatus_to_exitcode(os.waitpid(p, 0)[1])); " \
             "raise SystemExit(5)"
    parts["wrapper"] = seen(way.run(["faketime", "2001-02-03 04:05:06", "sh", "-c", "date -u +%F; sleep 0.1; date -u +%Y"]))
    parts["python"] = seen(way.run(["faketime", "-f", "@2001-02-03 04:05:06", "/usr/bin/python3", "-u", "-c", python]))
    user = dict(os.environ, LD_PRELOAD=library, FAKETIME="@2001-02-03 04:05:06")
    parts["preloaded by the user"] = seen(way.run(["sh", "-c", "date -u +%F; echo $LD_PRELOAD; env | grep ^LD_"], env=user))
    # The first program makes these names, here a shell that ends by _exit and leaves them; under
    # `leftover run` it is leftover itself, which libfaketime is preloaded into as well, and tidies up.
    for name in glob.glob("/dev/shm/*faketime*"):
        os.unlink(name)


@subject("fakeroot", needs=["fakeroot"])
def fakeroot(way, parts):
    script = "umask 022; touch a; chown 12:34 a; chmod 4755 a; stat -c '%u %g %a' a; tar cf - a | tar tvf - | cut -c1-30; " \
             "mkdir d; cp -a a d; ls -ln d | cut -c1-25; perl -e 'print((stat \"a\")[4], \"\\n\")'; (exec stat -c %u a); exit 4"
    parts["owns"] = seen(way.run(["fakeroot", "sh", "-c", script]), lambda text: re.sub(r"\d+ \d{4}-.*", "", text))
    hide = lambda text: re.sub(r"FAKEROOTKEY=\d+|_=.*", "N", text)
    environment = way.run(["fakeroot", "sh", "-c", "env | sort"])
    parts["environment"] = seen(environment, hide)
    parts["queues left"] = prepared(["ipcs", "-q"])


harness.main()
