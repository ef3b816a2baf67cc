// Sets LD_PRELOAD for what it executes, clears it, and gives environments without it, at every turn.
// leaves: semaphore /hard-preload-6
#include "hard.h"

extern char** environ;

static void show(const char* stage) {
    const char* value = getenv("LD_PRELOAD");
    SAY("stage %s: %s\n", stage, value == NULL ? "not set" : value);
    for (char** entry = environ; *entry != NULL; entry++)
        if (strstr(*entry, "leftover") != NULL || strncmp(*entry, "LEFTOVER", 8) == 0) SAY("  %s\n", *entry);
    int twice = 0;
    for (char** entry = environ; *entry != NULL; entry++) twice += strncmp(*entry, "LD_PRELOAD=", 11) == 0;
    SAY("  %d of them\n", twice);
}

int main(int count, char** words) {
    const char* stage = count > 1 ? words[1] : "0";
    show(stage);
    system("echo \"shell: ${LD_PRELOAD-not set}\"; env | grep -c ^LD_PRELOAD=");
    char next[2] = {(char)(stage[0] + 1), 0};
    char* self[] = {words[0], next, NULL};
    char own[] = "LD_PRELOAD=libm.so.6", empty[] = "LD_PRELOAD=", path[] = "PATH=/usr/bin:/bin";
    if (stage[0] == '0') {
        if (getenv("LD_PRELOAD") == NULL) setenv("LD_PRELOAD", "libm.so.6", 1);
        execv(words[0], self);
    }
    if (stage[0] == '1') {
        unsetenv("LD_PRELOAD");
        execv(words[0], self);
    }
    if (stage[0] == '2') {
        char* none[] = {NULL};
        execve(words[0], self, none);
    }
    if (stage[0] == '3') {
        char* two[] = {own, path, empty, NULL};
        execve(words[0], self, two);
    }
    if (stage[0] == '4') {
        putenv(empty);
        execvp(words[0], self);
    }
    if (stage[0] == '5') {
        clearenv();
        execl(words[0], words[0], next, (char*)0);
    }
    SAY("%d\n", leave("/hard-preload-6"));
    return 26;
}
