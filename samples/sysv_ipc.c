// leftover: sysv_shared_memory=2@make_memory sysv_semaphore=2@make_sets sysv_message_queue=2@make_queues
// System V objects live until somebody removes them; only one of each kind with a key and one without
// are left here.
#include <assert.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { key = 0x1e5f1234 };

static void make_memory(void) {
    const int id = shmget(key, 4096, IPC_CREAT | 0600);
    assert(id >= 0);
    assert(shmget(key, 4096, IPC_CREAT | 0600) == id);
    assert(shmget(IPC_PRIVATE, 100, 0600) >= 0);
}

static void make_sets(void) {
    const int id = semget(key, 2, IPC_CREAT | IPC_EXCL | 0600);
    assert(id >= 0);
    // Which moves on the time of its creation, as far as the kernel shows it.
    assert(semctl(id, 0, SETVAL, 1) == 0);
    assert(semget(IPC_PRIVATE, 1, 0600) >= 0);
}

static void make_queues(void) {
    assert(msgget(key, IPC_CREAT | 0600) >= 0);
    assert(msgget(IPC_PRIVATE, 0600) >= 0);
}

static void remove_all(int memory, int set, int queue) {
    assert(shmctl(memory, IPC_RMID, NULL) == 0);
    assert(semctl(set, 0, IPC_RMID) == 0);
    assert(msgctl(queue, IPC_RMID, NULL) == 0);
}

static void make_and_remove(void) {
    remove_all(shmget(key, 1, IPC_CREAT | 0600), semget(key, 1, IPC_CREAT | 0600), msgget(key, IPC_CREAT | 0600));
}

// Gone as soon as nobody has it attached any more.
static void remove_while_attached(void) {
    const int id = shmget(IPC_PRIVATE, 4096, 0600);
    assert(shmat(id, NULL, 0) != (void*)-1);
    assert(shmctl(id, IPC_RMID, NULL) == 0);
}

// What a child takes away is gone, and what it finds is not its own.
static void in_child(void) {
    const int memory = shmget(IPC_PRIVATE, 1, 0600);
    const int set = semget(IPC_PRIVATE, 1, 0600);
    const int queue = msgget(IPC_PRIVATE, 0600);
    const pid_t child = fork();
    if (child == 0) {
        remove_all(memory, set, queue);
        shmget(key, 1, IPC_CREAT | 0600);
        semget(key, 1, IPC_CREAT | 0600);
        msgget(key, IPC_CREAT | 0600);
        _exit(0);
    }
    int status = 0;
    assert(waitpid(child, &status, 0) == child && status == 0);
}

int main(void) {
    make_and_remove();
    make_memory();
    make_sets();
    make_queues();
    remove_while_attached();
    in_child();
    puts("two of each are left");
    return 0;
}
