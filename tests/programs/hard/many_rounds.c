// Makes and removes things for as many rounds as it is told, and says by how much it grew meanwhile.
// leaves: semaphore /hard-many
#include "hard.h"

static long resident_kb(void) {
    char text[200] = "";
    const int file = open("/proc/self/statm", O_RDONLY);
    const ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    char* second = strchr(text, ' ');
    return size > 0 && second != NULL ? atol(second) * 4 : 0;
}

static int round_of(int number) {
    char file[] = "/tmp/hard-XXXXXX";
    int bad = 0;
    const int handle = mkstemp(file);
    bad |= close(handle) | unlink(file);
    if (number % 8 == 0) bad |= make_some() != 3;
    if (number % 8 == 4) {
        timer_t timer;
        struct sigevent event = {.sigev_notify = SIGEV_NONE};
        bad |= timer_create(CLOCK_MONOTONIC, &event, &timer) | timer_delete(timer);
    }
    if (number % 16 == 3) bad |= make_thread();
    if (number % 64 == 5) {
        char folder[] = "/tmp/hard-XXXXXX";
        bad |= mkdtemp(folder) == NULL || rmdir(folder) != 0;
    }
    if (number % 1024 == 7) {
        const pid_t child = fork();
        if (child == 0) _exit(make_some());
        bad |= status_of(child) != 3;
    }
    return bad;
}

int main(int count, char** words) {
    const int rounds = count > 1 ? atoi(words[1]) : 1000;
    leave("/hard-many");
    int bad = 0;
    for (int i = 0; i < rounds / 10; i++) bad |= round_of(i);
    const long before = resident_kb();
    for (int i = rounds / 10; i < rounds; i++) bad |= round_of(i);
    const long grown = resident_kb() - before;
    SAY("bad: %d, grew: %d\n", bad, grown > 128);
    return 29;
}
