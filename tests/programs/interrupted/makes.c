// makes WHAT ROUNDS CHILDREN: makes one thing a round, between marks for steps.c, while a second thread waits. The handler
// of SIGUSR1 makes others, and in each CHILDREN-th round (0: never) a child that does. All are left over; those that a
// round removes are called gone.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK __asm__ volatile("int3" ::: "memory")

extern char** environ;
static int turn, children, bad;

static void name_of(char* name, const char* what) {
    strcpy(name, what);
    char* end = name + strlen(name);
    for (int place = 100000; place > 0; place /= 10) *end++ = (char)('0' + turn / place % 10);
    *end = 0;
}

static int make(const char* what) {
    char name[40];
    name_of(name, what);
    return shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
}

static int make_file(char* name) {
    const int file = mkstemp(name);
    return file >= 0 && close(file) == 0;
}

static int status_of(pid_t child) {
    int status = -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

static void handler(int number) {
    const int saved = errno, memory = make("/handled-");
    char file[] = "/tmp/handled-XXXXXX";
    if (memory < 0 || close(memory) != 0 || !make_file(file)) bad++;
    if (children != 0 && turn % children == 0) {
        const pid_t child = fork();
        if (child == 0) _exit(make("/child-") >= 0 ? 7 : 1);
        if (status_of(child) != 7) bad++;
    }
    errno = saved;
}

static int memory_left(void) {
    MARK;
    const int memory = make("/main-");
    MARK;
    return memory >= 0 && close(memory) == 0;
}

static int memory(void) {
    char name[40];
    name_of(name, "/gone-");
    MARK;
    const int memory = make("/gone-"), removed = shm_unlink(name);
    MARK;
    return memory >= 0 && removed == 0 && close(memory) == 0;
}

static int semaphore_left(void) {
    char name[40];
    name_of(name, "/main-");
    MARK;
    sem_t* semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    MARK;
    return semaphore != SEM_FAILED && sem_close(semaphore) == 0;
}

static int file_left(void) {
    char name[] = "/tmp/main-XXXXXX";
    MARK;
    const int made = make_file(name);
    MARK;
    return made;
}

static int file(void) {
    char name[] = "/tmp/gone-XXXXXX";
    MARK;
    const int handle = mkstemp(name), removed = unlink(name), closed = close(handle);
    MARK;
    return handle >= 0 && removed == 0 && closed == 0;
}

static int descriptor(void) {
    MARK;
    const int file = open("/dev/null", O_RDONLY), copy = dup(file), closed = close(copy) | close(file);
    MARK;
    return closed == 0;
}

static int forked(void) {
    MARK;
    const pid_t child = fork();
    if (child == 0) _exit(make("/forked-") >= 0 ? 3 : 1);
    MARK;
    return status_of(child) == 3;
}

static int vforked(void) {
    MARK;
    const pid_t child = vfork();
    if (child == 0) _exit(3);
    MARK;
    return status_of(child) == 3;
}

static int spawned(void) {
    char* words[] = {"true", NULL};
    pid_t child;
    MARK;
    const int error = posix_spawn(&child, "/bin/true", NULL, NULL, words, environ);
    MARK;
    return error == 0 && status_of(child) == 0;
}

static int shell(void) {
    MARK;
    const int status = system("exit 3");
    MARK;
    return status == 3 << 8;
}

static int stream(void) {
    MARK;
    FILE* from = popen("exit 3", "r");
    const int status = pclose(from);
    MARK;
    return status == 3 << 8;
}

static void* returns(void* argument) { return argument; }
static void* waits(void* argument) {
    pause();
    return argument;
}

static int thread(void) {
    pthread_t made;
    MARK;
    const int error = pthread_create(&made, NULL, returns, NULL) || pthread_join(made, NULL);
    MARK;
    return error == 0;
}

static const struct {
    const char* name;
    int (*run)(void);
} all[] = {{"memory left", memory_left}, {"memory", memory}, {"semaphore left", semaphore_left}, {"file left", file_left},
           {"file", file}, {"descriptor", descriptor}, {"fork", forked}, {"vfork", vforked}, {"spawn", spawned},
           {"system", shell}, {"popen", stream}, {"thread", thread}};

int main(int count, char** words) {
    if (count != 4) return 2;
    const int rounds = atoi(words[2]);
    children = atoi(words[3]);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t second;
    if (pthread_create(&second, NULL, waits, NULL) != 0 || pthread_detach(second) != 0) return 3;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(all[i].name, words[1]) != 0) continue;
        for (turn = 0; turn < rounds; turn++)
            if (!all[i].run()) bad++;
        dprintf(1, "%s: %d bad of %d\n", words[1], bad, rounds);
        _exit(bad != 0);
    }
    return 4;
}
