// Executes itself thirty times, in every way there is, from a thread too, keeping its children and files.
// leaves: semaphore /hard-self-7, semaphore /hard-self-child
#include "hard.h"

extern char** environ;
static char* self[5];
static const char* program;

static void* in_thread(void* argument) {
    execv(program, self);
    return argument;
}

int main(int count, char** words) {
    const int stage = count > 1 ? atoi(words[1]) : 0;
    program = words[0];
    static pid_t child;
    child = count > 2 ? atoi(words[2]) : 0;
    if (count > 3 && atoi(words[3]) != getpid()) SAY("another process\n");
    if (stage == 7) leave("/hard-self-7");
    if (stage % 10 == 3) SAY("%d: %d\n", stage, status_of(child));
    if (stage % 10 == 0) {
        // Waited for three programs later.
        child = fork();
        if (child == 0) _exit(stage == 10 ? leave("/hard-self-child") : stage);
    }
    if (stage == 30) {
        SAY("%d, none left: %d\n", status_of(child), wait(NULL) == -1 && errno == ECHILD);
        return 27;
    }
    static char number[20], pid[20], me[20];
    sprintf(number, "%d", stage + 1);
    sprintf(pid, "%d", (int)child);
    sprintf(me, "%d", (int)getpid());
    self[0] = words[0];
    self[1] = number;
    self[2] = pid;
    self[3] = me;
    pthread_t thread;
    switch (stage % 7) {
        case 0: execv(words[0], self); break;
        case 1: execvp(words[0], self); break;
        case 2: execl("/proc/self/exe", words[0], number, pid, me, (char*)0); break;
        case 3: execle(words[0], words[0], number, pid, me, (char*)0, environ); break;
        case 4: fexecve(open(words[0], O_RDONLY | O_CLOEXEC), self, environ); break;
        case 5: execveat(AT_FDCWD, words[0], self, environ, 0); break;
        default:
            pthread_create(&thread, NULL, in_thread, NULL);
            pthread_join(thread, NULL);
    }
    return 90;
}
