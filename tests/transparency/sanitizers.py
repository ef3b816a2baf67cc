#!/usr/bin/env python3
# ctest: timeout=300 transparency
"""Programs built with sanitizers still start and find their own bug, and leftover finds their leaks."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import prepared, subject, write

harness.enter()

SOURCE = """
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static int shared;
static void *race(void *x) { for (int i = 0; i < 100000; i++) shared++; return x; }
int main(int count, char **words) {
    sem_t *semaphore = sem_open("/sanitized", O_CREAT | O_EXCL, 0600, 1);
    if (semaphore == SEM_FAILED) return 90;
    sem_close(semaphore);
    if (count < 2 || words[1][0] != 'l') sem_unlink("/sanitized");
    if (fork() == 0) { execl("/bin/echo", "echo", "child", (char *)0); _exit(91); }
    wait(0);
    if (count > 1 && words[1][0] == 'r') {
        pthread_t one, two;
        pthread_create(&one, 0, race, 0);
        pthread_create(&two, 0, race, 0);
        pthread_join(one, 0);
        pthread_join(two, 0);
    }
    if (count > 1 && words[1][0] == 'f') {
        char *volatile p = malloc(10);
        free(p);
        return p[3] ? 1 : 2;
    }
    if (count > 1 && words[1][0] == 'm') { void *volatile lost = malloc(77); lost = 0; return 0; }
    puts("fine");
    return 4;
}
"""


def sanitized(compiler, sanitizer, bugs):
    @subject(f"{compiler} {sanitizer}", needs=[compiler])
    def one(way, parts):
        write("program.c", SOURCE)
        prepared([compiler, "-g", "-O1", f"-fsanitize={sanitizer}", "-o", "program", "program.c", "-pthread"])

        # Its runtime refuses to start after another preloaded library, before any of ours has run: who
        # preloads by hand has to say this. `leftover run` says it by itself.
        environment = dict(os.environ)
        if way.name == "hand":
            environment["ASAN_OPTIONS"] = "verify_asan_link_order=0"

        def run(*words):
            done = way.run(["./program", *words], env=environment)
            found = sorted(set(re.findall(r"(?:ERROR|WARNING|SUMMARY): \w+Sanitizer:? [A-Za-z ()-]+(?= on|\b)", done.stderr)))
            return f"{done.returncode} {done.stdout} {found}" \
                   + ("" if found else done.stderr)

        parts["fine"] = run()
        for name, word in bugs.items():
            parts[name] = run(word)
        parts["nothing reported"] = way.leaks("semaphore")
        parts["leaks"] = run("l")
        # By itself nobody reports anything: what must be found stands here.
        parts["leak reported"] = way.leaks("semaphore") if way.watched else ["semaphore"]
        if os.path.exists("/dev/shm/sem.sanitized"):
            os.unlink("/dev/shm/sem.sanitized")


EARLY = """
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static void *nothing(void *x) { return x; }
static void in_child(void) {
    pthread_t thread;
    if (pthread_create(&thread, 0, nothing, 0) == 0) pthread_detach(thread);
}
static void early(void) {
    sem_unlink("/sanitized");
    pthread_atfork(0, 0, in_child);
}
__attribute__((section(".preinit_array"), used)) static void (*const start)(void) = early;
int main(void) {
    for (char **entry = environ; *entry; entry++)
        if (strstr(*entry, "leftover.so") || strncmp(*entry, "LEFTOVER_", 9) == 0) puts(*entry);
    sem_close(sem_open("/sanitized", O_CREAT | O_EXCL, 0600, 1));
    int crashed = 0;
    for (int i = 0; i < 300; i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) { execl("/bin/true", "true", (char *)0); _exit(91); }
        waitpid(child, &status, 0);
        crashed += status != 0;
    }
    printf("%d children crashed\\n", crashed);
    return 4;
}
"""


@subject("before everybody", needs=["gcc"])
def before_everybody(way, parts):
    """What sanitizers' runtimes do before any library is initialised, without a sanitizer."""
    write("program.c", EARLY)
    prepared(["gcc", "-O1", "-o", "program", "program.c", "-pthread"])
    parts["runs"] = harness.seen(way.run(["./program"]))
    parts["leak reported"] = way.leaks("semaphore") if way.watched else ["semaphore"]
    parts["where nobody asked for it"] = [name for name in os.listdir(".") if name.startswith("leftover")]
    if os.path.exists("/dev/shm/sem.sanitized"):
        os.unlink("/dev/shm/sem.sanitized")


@subject("sanitizer preloaded by the user", needs=["gcc"])
def preloaded_sanitizer(way, parts):
    """As for extension modules that are built with it."""
    runtime = prepared(["gcc", "-print-file-name=libasan.so"]).strip()
    environment = dict(os.environ, LD_PRELOAD=os.path.realpath(runtime), ASAN_OPTIONS="detect_leaks=0")
    if way.name == "hand":
        environment["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
    parts["children"] = harness.seen(way.run(["sh", "-c", "/bin/echo child; env | grep ^LD_; sh -c '/bin/echo deeper'; true"],
                                             env=environment))


for each in ("gcc", "clang"):
    sanitized(each, "address", {"use after free": "f", "lost memory": "m"})
    sanitized(each, "thread", {"race": "r"})

harness.main()
