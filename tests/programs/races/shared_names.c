// shared_names INDEX ROUNDS FOLDER: one of several programs that create, open and remove the same names and
// keys. What it creates has permission bits that tell its INDEX (1 to 7), which is how the test knows whose
// it is. Leaves whatever is there in the end. Prints INDEX and its pid.
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { key = 0x1e5f4000 };

static unsigned state;

static int one_in(unsigned count) {
    state = state * 1103515245u + 12345u;
    return (state >> 16) % count == 0;
}

static void use_semaphore(int mode, int remove) {
    sem_t* semaphore = sem_open("/shared", O_CREAT, mode, 0);
    if (semaphore != SEM_FAILED) sem_close(semaphore);
    if (remove) sem_unlink("/shared");
}

static void use_memory(int mode, int remove) {
    const int fd = shm_open("/shared", O_CREAT | O_RDWR, mode);
    if (fd >= 0) close(fd);
    if (remove) shm_unlink("/shared");
}

static void use_queue(int mode, int remove) {
    struct mq_attr small = {.mq_maxmsg = 1, .mq_msgsize = 16};
    const mqd_t queue = mq_open("/shared", O_CREAT | O_RDWR, mode, &small);
    if (queue >= 0) mq_close(queue);
    if (remove) mq_unlink("/shared");
}

static void use_keys(int mode, int remove) {
    const int memory = shmget(key, 1000, IPC_CREAT | mode);
    const int set = semget(key, 1, IPC_CREAT | mode);
    const int queue = msgget(key, IPC_CREAT | mode);
    if (!remove) return;
    if (memory >= 0) shmctl(memory, IPC_RMID, NULL);
    if (set >= 0) semctl(set, 0, IPC_RMID);
    if (queue >= 0) msgctl(queue, IPC_RMID, NULL);
}

static void use_socket(int mode, int remove) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "shared-socket"};
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    umask(0777 & ~mode);
    bind(fd, (struct sockaddr*)&address, sizeof address);
    umask(0);
    close(fd);
    if (remove) unlink(address.sun_path);
}

// A temporary name that was given, and that all of them use: whoever creates it first.
static void use_file(int mode, int remove) {
    char made[] = "shared-XXXXXX";
    const int fd = mkstemp(made);
    if (fd < 0) return;
    close(fd);
    unlink(made);
    // Again under that name, and of the user's own: nobody's leak.
    close(open(made, O_CREAT | O_EXCL | O_RDWR, mode));
    if (remove) unlink(made);
}

int main(int count, char** words) {
    if (count != 4 || chdir(words[3]) != 0) return 99;
    const int index = atoi(words[1]);
    const int mode = 0600 | index;
    state = (unsigned)getpid() * 2654435761u;
    umask(0);
    printf("%d %d\n", index, (int)getpid());
    fflush(stdout);
    const int rounds = atoi(words[2]);
    for (int round = 0; round < rounds; round++) {
        const int last = round + 1 == rounds;
        use_semaphore(mode, !last && one_in(2));
        use_memory(mode, !last && one_in(2));
        use_queue(mode, !last && one_in(2));
        use_keys(mode, !last && one_in(2));
        use_socket(mode, !last && one_in(2));
        use_file(mode, !last);
    }
    return 0;
}
