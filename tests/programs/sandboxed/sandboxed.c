// Leaves one semaphore, goes into a sandbox, and ends: sandboxed HOW END, HOW one of
//   strict   read, write and exit only
//   kill     a filter that kills for all that the program does not do itself
//   trap     the same, but it raises SIGSYS, which the program counts
//   refuse   a filter that refuses what the program does not do itself
//   mild     a filter that refuses ptrace only; a second semaphore is left behind it
// and END one of exit, _exit and TERM.
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void trapped(int signal) {
    (void)signal;
    static const char text[] = "trapped\n";
    if (write(1, text, sizeof text - 1) < 0) _exit(9);
}

static void say(const char* text) {
    if (write(1, text, strlen(text)) < 0) _exit(9);
}

static int install(unsigned otherwise) {
#define LET(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        LET(SYS_write), LET(SYS_exit), LET(SYS_exit_group), LET(SYS_rt_sigreturn), LET(SYS_kill), LET(SYS_tgkill),
        LET(SYS_getpid), LET(SYS_gettid),
        BPF_STMT(BPF_RET | BPF_K, otherwise),
    };
    struct sock_fprog filter = {sizeof code / sizeof *code, code};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

static int install_mild(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

int main(int count, char** words) {
    if (count != 3) return 2;
    const char* how = words[1];
    sem_close(sem_open("/before", O_CREAT | O_EXCL, 0600, 1));
    signal(SIGSYS, trapped);
    if (strcmp(how, "kill") == 0) signal(SIGSYS, SIG_DFL);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 3;
    int error = 0;
    if (strcmp(how, "strict") == 0) error = prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    if (strcmp(how, "kill") == 0) error = install(SECCOMP_RET_KILL_PROCESS);
    if (strcmp(how, "trap") == 0) error = install(SECCOMP_RET_TRAP);
    if (strcmp(how, "refuse") == 0) error = install(SECCOMP_RET_ERRNO | EACCES);
    if (strcmp(how, "mild") == 0) error = install_mild();
    if (error != 0) return 4;
    say("inside\n");
    if (strcmp(how, "mild") == 0) sem_close(sem_open("/behind", O_CREAT | O_EXCL, 0600, 1));
    if (strcmp(how, "strict") == 0) syscall(SYS_exit, 5);  // exit_group is not let through
    if (strcmp(words[2], "TERM") == 0) kill(getpid(), SIGTERM);
    if (strcmp(words[2], "_exit") == 0) _exit(6);
    exit(7);
}
