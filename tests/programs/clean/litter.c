// litter READY HOW: makes one of every kind that outlives its process, writes READY, and ends as HOW says:
// exit, abort, or wait (for a signal).
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void write_file(const char *path) {
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    if (fd < 0 || write(fd, "text\n", 5) != 5) exit(9);
    close(fd);
}

static void make_folder(void) {
    char folder[] = "/tmp/litter-folder-XXXXXX", path[200];
    if (mkdtemp(folder) == NULL) exit(9);
    snprintf(path, sizeof path, "%s/below", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/below/file", folder);
    write_file(path);
    snprintf(path, sizeof path, "%s/below/link", folder);
    if (symlink("/tmp/work", path) != 0) exit(9);
    snprintf(path, sizeof path, "%s/below", folder);
    chmod(path, 0500);
    printf("%s\n", folder);
}

int main(int argc, char **argv) {
    if (argc != 3) return 9;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (sem_open("/litter-semaphore", O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED) return 9;
    int memory = shm_open("/litter-memory", O_CREAT | O_EXCL | O_RDWR, 0600);
    if (memory < 0 || ftruncate(memory, 1 << 20) != 0) return 9;
    char *mapped = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    memset(mapped, 7, 1 << 20);
    mqd_t queue = mq_open("/litter-queue", O_CREAT | O_EXCL | O_RDWR, 0600, NULL);
    if (queue == (mqd_t)-1) return 9;
    int segment = shmget(IPC_PRIVATE, 8192, 0600);
    if (segment < 0 || shmat(segment, NULL, 0) == (void *)-1) return 9;
    int set = semget(IPC_PRIVATE, 2, 0600);
    struct sembuf up = {0, 1, 0};
    if (set < 0 || semop(set, &up, 1) != 0) return 9;
    int messages = msgget(IPC_PRIVATE, 0600);
    struct { long type; char text[4]; } message = {1, "abc"};
    if (messages < 0 || msgsnd(messages, &message, 4, 0) != 0) return 9;
    char file[] = "/tmp/litter-file-XXXXXX";
    if (mkstemp(file) < 0) return 9;
    make_folder();
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/tmp/litter-socket"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0) return 9;

    printf("segment %d\nset %d\nmessages %d\nfile %s\n", segment, set, messages, file);
    char fresh[300];
    snprintf(fresh, sizeof fresh, "%s.new", argv[1]);
    FILE *ready = fopen(fresh, "w");
    fprintf(ready, "%d\n", (int)getpid());
    fclose(ready);
    rename(fresh, argv[1]);
    if (strcmp(argv[2], "abort") == 0) abort();
    while (strcmp(argv[2], "wait") == 0) pause();
    // Nobody else changed what we have mapped.
    for (int i = 0; i < 1 << 20; i++) {
        if (mapped[i] != 7) return 8;
    }
    return 4;
}
