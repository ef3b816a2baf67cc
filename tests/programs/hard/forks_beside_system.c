// Forks while another thread waits in system(): what the child finds in its environment is what it would
// have found without that, and it goes on from there.
// leaves: semaphore /hard-beside
#include "hard.h"

extern char** environ;

static int go[2], came[2];

static void* shells(void* argument) {
    char command[200];
    snprintf(command, sizeof command, "echo >&%d; read line <&%d", came[1], go[0]);
    SAY("shell: %d\n", system(command));
    return argument;
}

// How many variables there are, whether one is another library's, and what those that it sets become.
static int looks(void) {
    int count = 0, strange = 0;
    for (char** entry = environ; *entry != NULL; entry++, count++) {
        strange += strncmp(*entry, "LEFTOVER", 8) == 0 || strstr(*entry, "libleftover") != NULL;
    }
    return strange * 100 + count;
}

static int child_of(int before) {
    if (looks() != before) return 1;
    if (setenv("HARD_ONE", "1", 1) != 0 || looks() != before + 1) return 2;
    if (system("exit $HARD_ONE") != 1 << 8) return 3;
    if (unsetenv("HARD_ONE") != 0 || looks() != before) return 4;
    FILE* stream = popen("exit 5", "r");
    if (stream == NULL || pclose(stream) != 5 << 8) return 5;
    if (looks() != before) return 6;
    char* words[] = {"sh", "-c", "test \"$HARD_TWO\" = 2 && exit 7", NULL};
    setenv("HARD_TWO", "2", 1);
    execv("/bin/sh", words);
    return 8;
}

int main(void) {
    char byte;
    if (pipe(go) != 0 || pipe(came) != 0) return 1;
    setenv("HARD_TWO", "1", 1);
    const int before = looks();
    pthread_t thread;
    pthread_create(&thread, NULL, shells, NULL);
    if (read(came[0], &byte, 1) != 1) return 2;
    for (int i = 0; i < 3; i++) {
        const pid_t child = fork();
        if (child == 0) _exit(child_of(before));
        SAY("child: %d\n", status_of(child));
    }
    if (write(go[1], "\n", 1) != 1) return 3;
    pthread_join(thread, NULL);
    SAY("the same again: %d\n", looks() == before);
    SAY("%d\n", leave("/hard-beside"));
    return 24;
}
