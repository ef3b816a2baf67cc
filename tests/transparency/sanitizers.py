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


for each in ("gcc", "clang"):
    sanitized(each, "address", {"use after free": "f", "lost memory": "m"})
    sanitized(each, "thread", {"race": "r"})

harness.main()
