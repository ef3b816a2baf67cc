// kill_race_files FILE FOLDER: eight threads create and remove temporary files, folders and sockets in
// FOLDER as fast as they can, until somebody kills it.
// Writes its pid to FILE when all of them have begun.
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { thread_count = 8 };

static atomic_int begun;

static void make_socket(const char* path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr*)&address, sizeof address) != 0) _exit(98);
    close(fd);
}

static void* work(void* argument) {
    const int number = (int)(long)argument;
    for (unsigned round = 0;; round++) {
        char file[] = "race-XXXXXX.txt";
        char folder[] = "race-XXXXXX";
        char named[] = "race-XXXXXX";
        char plain[32];
        char path[32];
        snprintf(path, sizeof path, "race-socket-%d", number);
        snprintf(plain, sizeof plain, "own-%d", number);
        const int fd = mkstemps(file, 4);
        if (fd < 0) _exit(97);
        close(fd);
        if (mkdtemp(folder) == NULL) _exit(96);
        make_socket(path);
        if (*mktemp(named) == 0) _exit(95);
        close(open(named, O_CREAT | O_EXCL | O_RDWR, 0600));
        // The program's own from here on, and never reported.
        if (round % 2 == 0 && rename(named, plain) != 0) _exit(94);
        unlink(round % 2 == 0 ? plain : named);
        unlink(file);
        rmdir(folder);
        unlink(path);
        if (round == 3) atomic_fetch_add(&begun, 1);
    }
    return NULL;
}

int main(int count, char** words) {
    if (count != 3 || chdir(words[2]) != 0) return 99;
    for (long number = 0; number < thread_count; number++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, (void*)number) != 0) return 99;
    }
    while (atomic_load(&begun) < thread_count) usleep(100);
    FILE* file = fopen(words[1], "w");
    fprintf(file, "%d\n", (int)getpid());
    fclose(file);
    for (;;) pause();
}
