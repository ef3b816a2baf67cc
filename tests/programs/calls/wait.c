// calls: wait waitpid __waitpid wait3 wait4 waitid
#include "call.h"

extern pid_t __waitpid(pid_t which, int* status, int flags);

static pid_t child(int code) {
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) _exit(code);
    return pid;
}

static pid_t sleeper(void) {
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        for (;;) pause();
    }
    return pid;
}

static void try_waitpid(const char* what, pid_t (*call)(pid_t, int*, int)) {
    int status = -1;
    puts(what);
    TRY("no child", call(-1, &status, 0));
    pid_t pid = child(3);
    printf("  %d\n", TRY_ANY("a child", call(pid, &status, 0)) == pid);
    tell_status("a child", status);
    TRY("twice", call(pid, &status, 0));
    pid = sleeper();
    TRY("not yet", call(pid, &status, WNOHANG));
    kill(pid, SIGSTOP);
    printf("  %d\n", TRY_ANY("stopped", call(pid, &status, WUNTRACED)) == pid);
    printf("  stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
    kill(pid, SIGCONT);
    TRY_ANY("continued", call(pid, &status, WCONTINUED));
    printf("  continued %d\n", WIFCONTINUED(status));
    kill(pid, SIGTERM);
    TRY_ANY("killed", call(-1, &status, 0));
    tell_status("killed", status);
    child(1);
    TRY_ANY("no status wanted", call(-1, NULL, 0));
    child(1);
    TRY_ANY("of the group", call(0, &status, 0));
    TRY("bad flags", call(-1, &status, 0x7000));
}

static void tell_info(const siginfo_t* info, pid_t pid) {
    printf("  signal %d, code %d, status %d, pid %d\n", info->si_signo, info->si_code, info->si_status,
           info->si_pid == 0 ? 0 : info->si_pid == pid ? 1 : -1);
}

int main(void) {
    int status = -1;
    TRY("wait, no child", wait(&status));
    pid_t pid = child(4);
    printf("  %d\n", TRY_ANY("wait", wait(&status)) == pid);
    tell_status("wait", status);
    child(1);
    TRY_ANY("wait, no status wanted", wait(NULL));
    try_waitpid("waitpid", waitpid);
    try_waitpid("__waitpid", __waitpid);

    struct rusage usage;
    memset(&usage, 0xff, sizeof usage);
    TRY("wait3, no child", wait3(&status, 0, &usage));
    pid = child(5);
    printf("  %d\n", TRY_ANY("wait3", wait3(&status, 0, &usage)) == pid);
    tell_status("wait3", status);
    printf("  usage %d\n", usage.ru_maxrss > 0);
    pid = sleeper();
    TRY("wait3, not yet", wait3(&status, WNOHANG, NULL));
    TRY("wait4, not yet", wait4(pid, &status, WNOHANG, NULL));
    kill(pid, SIGKILL);
    memset(&usage, 0xff, sizeof usage);
    printf("  %d\n", TRY_ANY("wait4", wait4(pid, &status, 0, &usage)) == pid);
    tell_status("wait4", status);
    printf("  usage %d\n", usage.ru_maxrss >= 0);
    TRY("wait4, not ours", wait4(1, &status, 0, NULL));

    siginfo_t info;
    memset(&info, 0, sizeof info);
    TRY("waitid, no child", waitid(P_ALL, 0, &info, WEXITED));
    TRY("waitid, no flags", waitid(P_ALL, 0, &info, 0));
    pid = child(6);
    TRY("waitid, left waiting", waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
    tell_info(&info, pid);
    TRY("waitid", waitid(P_PID, (id_t)pid, &info, WEXITED));
    tell_info(&info, pid);
    TRY("waitid, twice", waitid(P_PID, (id_t)pid, &info, WEXITED));
    pid = sleeper();
    memset(&info, 0, sizeof info);
    TRY("waitid, not yet", waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
    tell_info(&info, pid);
    kill(pid, SIGTERM);
    TRY("waitid, nothing wanted", waitid(P_ALL, 0, NULL, WEXITED));
    TRY("waitid, bad type", waitid((idtype_t)77, 0, &info, WEXITED));
    return 0;
}
