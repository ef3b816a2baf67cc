// Jumps out of signal handlers that interrupted hooked calls, blocking ones and others, two thousand times.
// leaves: semaphore /hard-jumped
#include <setjmp.h>

#include "hard.h"

static sigjmp_buf again;
static volatile sig_atomic_t armed, jumped;

static void jump(int number) {
    (void)number;
    if (!armed) return;
    armed = 0;
    jumped++;
    siglongjmp(again, 1);
}

extern char** environ;
static int count_variables(void) {
    int count = 0;
    while (environ[count] != NULL) count++;
    return count;
}

static void* waits(void* argument) {
    pause();
    return argument;
}

int main(void) {
    struct sigaction action = {.sa_handler = jump};
    sigaction(SIGALRM, &action, NULL);
    // Out of calls that wait.
    sigset_t alarm_only;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm_only, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, waits, NULL);
    pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
    const pid_t child = fork();
    if (child == 0) {
        for (;;) pause();
    }
    int status = 0;
    for (volatile int i = 0; i < 30; i++) {
        if (sigsetjmp(again, 1) != 0) continue;
        armed = 1;
        setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 2000}}, NULL);
        if (i % 3 == 0) waitpid(child, &status, 0);
        if (i % 3 == 1) wait(&status);
        if (i % 3 == 2) waitid(P_PID, (id_t)child, &(siginfo_t){0}, WEXITED);
        armed = 0;
    }
    SAY("out of waiting: %d\n", jumped);
    kill(child, SIGTERM);
    SAY("%d\n", status_of(child));
    pthread_cancel(thread);
    SAY("%d\n", pthread_join(thread, NULL));

    // Out of calls that take no lock of libc's, at any instant. The descriptor and file of a call that was
    // left are lost, plainly too.
    jumped = 0;
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 211}, {0, 211}}, NULL);
    while (jumped < 2000) {
        if (sigsetjmp(again, 1) != 0) continue;
        armed = 1;
        unlink("/tmp/hard-not-there");
        shm_unlink("/hard-not-there");
        close(open("/dev/null", O_RDONLY));
        rename("/tmp/hard-not-there", "/tmp/hard-nor-there");
        waitpid(-1, &status, WNOHANG);
        close(dup(0));
        armed = 0;
    }
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    SAY("out of calls: %d\n", jumped);
    closefrom(3);
    SAY("%d %d\n", make_some(), make_thread());
    // Out of a shell's call, whose variables are the program's own again. The shell goes on.
    const int variables = count_variables();
    jumped = 0;
    for (volatile int i = 0; i < 3; i++) {
        if (sigsetjmp(again, 1) != 0) continue;
        armed = 1;
        setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 30000}}, NULL);
        system("exec sleep 0.1");
        armed = 0;
    }
    while (waitpid(-1, &status, 0) > 0 || errno == EINTR) {
    }
    SAY("out of system: %d, %d variables, %s\n", jumped, count_variables() - variables, getenv("LD_PRELOAD"));
    TELL(leave("/hard-jumped"));
    return 17;
}
