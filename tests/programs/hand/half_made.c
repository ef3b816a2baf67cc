// A child that is killed while one of its threads is in the middle of sem_open, when the semaphore has its
// temporary name alone. Another thread has just forked: that process has the semaphore mapped, and lives until its
// input ends.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t made;

static void in_the_middle(int number) {
    (void)number;
    made = 1;
    for (;;) pause();
}

static int refuse_links(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_link
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_link, 1, 0),
#endif
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_linkat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void* makes(void* argument) {
    if (refuse_links() != 0) exit(3);
    sem_open("/never-linked", O_CREAT | O_EXCL, 0600, 1);
    exit(4);
    return argument;
}

static void creator(void) {
    const struct sigaction action = {.sa_handler = in_the_middle};
    sigaction(SIGSYS, &action, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, makes, NULL);
    while (!made) usleep(1000);
    const pid_t heir = fork();
    if (heir == 0) {
        char byte;
        while (read(0, &byte, 1) > 0) {
        }
        exit(0);
    }
    dprintf(1, "%d\n", (int)heir);
    raise(SIGKILL);
}

int main(void) {
    const pid_t child = fork();
    if (child == 0) creator();
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 0 : WEXITSTATUS(status);
}
