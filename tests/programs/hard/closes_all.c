// Closes every descriptor it has, whatever it is, again and again, and uses the first numbers itself.
// leaves: semaphore /hard-closed
#include "hard.h"

static void numbers(const char* when) {
    // What is open now, written to the first file that can be had.
    char text[400] = "";
    size_t size = 0;
    for (int i = 0; i < 1024; i++)
        if (fcntl(i, F_GETFD) >= 0) size += (size_t)snprintf(text + size, sizeof text - size, " %d", i);
    const int file = open("seen", O_WRONLY | O_CREAT | O_APPEND, 0600);
    dprintf(file, "%s:%s; %d\n", when, text, file);
    close(file);
}

int main(void) {
    numbers("start");
    for (int i = 0; i < 4096; i++) close(i);
    numbers("closed");
    make_some();
    numbers("made some");
    leave("/hard-closed");
    const pid_t child = fork();
    if (child == 0) {
        closefrom(0);
        numbers("child");
        const int pipe_ends = make_some();
        numbers("child made some");
        _exit(pipe_ends);
    }
    const int status = status_of(child);
    make_thread();
    close_range(0, ~0U, 0);
    numbers("end");
    return status;
}
