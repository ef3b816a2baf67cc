// ipc_race FILE: six threads create and remove message queues and System V objects, with keys and without,
// as fast as they can, until somebody kills it. Writes its pid to FILE when all of them have begun.
// ipc_race - WHAT: creates one object (shm, sem, msg, also with -private; queue) and ends.
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

enum { thread_count = 6, first_key = 0x1e5f2000 };

static atomic_int begun;

static void check(int id, int status) {
    if (id < 0) _exit(status);
}

static int use_queue(const char* name) {
    // A user may have 800 kB in all queues together.
    struct mq_attr small = {.mq_maxmsg = 1, .mq_msgsize = 16};
    const mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0600, &small);
    if (queue >= 0) mq_close(queue);
    return queue;
}

static void* work(void* argument) {
    const int number = (int)(long)argument;
    char name[32];
    snprintf(name, sizeof name, "/race-%d", number);
    for (unsigned round = 0;; round++) {
        const int key = round % 2 != 0 ? first_key + number : IPC_PRIVATE;
        check(use_queue(name), 98);
        const int memory = shmget(key, 1000, IPC_CREAT | 0600);
        const int set = semget(key, 2, IPC_CREAT | 0600);
        const int queue = msgget(key, IPC_CREAT | 0600);
        check(memory, 97);
        check(set, 96);
        check(queue, 95);
        mq_unlink(name);
        shmctl(memory, IPC_RMID, NULL);
        semctl(set, 0, IPC_RMID);
        msgctl(queue, IPC_RMID, NULL);
        if (round == 3) atomic_fetch_add(&begun, 1);
    }
    return NULL;
}

static int make(const char* what) {
    const int key = strstr(what, "-private") != NULL ? IPC_PRIVATE : first_key;
    if (strncmp(what, "queue", 5) == 0) return use_queue("/race-one");
    if (strncmp(what, "shm", 3) == 0) return shmget(key, 1000, IPC_CREAT | 0600);
    if (strncmp(what, "sem", 3) == 0) return semget(key, 2, IPC_CREAT | 0600);
    return msgget(key, IPC_CREAT | 0600);
}

int main(int count, char** words) {
    if (count > 2) return make(words[2]) < 0;
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
