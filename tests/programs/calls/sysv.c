// calls: shmget shmctl semget semctl msgget msgctl
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "call.h"

enum { key = 0x1e5f0001, other_key = 0x1e5f0002 };

// Ids differ from run to run.
#define TRY_ID(what, expression)                                       \
    ({                                                                 \
        errno = 77;                                                    \
        const int id_ = (expression);                                  \
        const int errno_ = errno;                                      \
        tell(what, id_ < 0 ? id_ : 1, errno_);                         \
        id_;                                                           \
    })

static void shared_memory(void) {
    TRY_ID("shmget, absent", shmget(key, 100, 0));
    const int id = TRY_ID("shmget, created", shmget(key, 100, IPC_CREAT | 0640));
    struct shmid_ds data;
    TRY("shmctl, IPC_STAT", shmctl(id, IPC_STAT, &data));
    printf("  %zu bytes, mode %o, by us: %d\n", data.shm_segsz, data.shm_perm.mode, data.shm_cpid == getpid());
    const int again = TRY_ID("shmget, there", shmget(key, 50, IPC_CREAT | 0600));
    printf("  the same: %d\n", again == id);
    TRY_ID("shmget, there and too big", shmget(key, 5000, IPC_CREAT | 0600));
    TRY_ID("shmget, exclusive", shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600));
    TRY_ID("shmget, exclusive without IPC_CREAT", shmget(key, 100, IPC_EXCL | 0600));
    TRY_ID("shmget, without flags", shmget(key, 0, 0));
    TRY_ID("shmget, of no size", shmget(other_key, 0, IPC_CREAT | 0600));
    TRY_ID("shmget, huge", shmget(other_key, (size_t)1 << 62, IPC_CREAT | 0600));
    const int one = TRY_ID("shmget, private", shmget(IPC_PRIVATE, 100, 0600));
    const int two = TRY_ID("shmget, private, all flags", shmget(IPC_PRIVATE, 100, IPC_CREAT | IPC_EXCL | 0600));
    printf("  two: %d\n", one != two);
    TRY_ID("shmget, private, of no size", shmget(IPC_PRIVATE, 0, 0600));
    char* memory = shmat(one, NULL, 0);
    memory[0] = 1;
    TRY("shmctl, IPC_RMID", shmctl(id, IPC_RMID, NULL));
    TRY("shmctl, IPC_RMID, again", shmctl(id, IPC_RMID, NULL));
    TRY("shmctl, IPC_RMID, no such", shmctl(-1, IPC_RMID, NULL));
    TRY("shmctl, attached", shmctl(one, IPC_RMID, NULL));
    TRY("shmctl, IPC_STAT of it", shmctl(one, IPC_STAT, &data));
    printf("  mode %o\n", data.shm_perm.mode);
    TRY("shmctl, attached, again", shmctl(one, IPC_RMID, NULL));
    TRY("shmdt", shmdt(memory));
    TRY("shmctl, IPC_STAT, gone", shmctl(one, IPC_STAT, &data));
    TRY("shmctl, IPC_RMID, the other", shmctl(two, IPC_RMID, (struct shmid_ds*)8));
    TRY("shmctl, nowhere", shmctl(two, IPC_STAT, (struct shmid_ds*)8));
    TRY("shmctl, no such command", shmctl(id, 4711, &data));
    struct shm_info info;
    TRY("shmctl, SHM_INFO", shmctl(0, SHM_INFO, (struct shmid_ds*)&info) >= 0);
}

union semun {
    int value;
    struct semid_ds* data;
    unsigned short* values;
};

static void semaphores(void) {
    TRY_ID("semget, absent", semget(key, 1, 0));
    const int id = TRY_ID("semget, created", semget(key, 3, IPC_CREAT | 0640));
    struct semid_ds data;
    union semun argument = {.data = &data};
    TRY("semctl, IPC_STAT", semctl(id, 0, IPC_STAT, argument));
    printf("  %lu, mode %o\n", data.sem_nsems, data.sem_perm.mode);
    const int again = TRY_ID("semget, there", semget(key, 0, IPC_CREAT | 0600));
    printf("  the same: %d\n", again == id);
    TRY_ID("semget, there and more", semget(key, 5, IPC_CREAT | 0600));
    TRY_ID("semget, exclusive", semget(key, 3, IPC_CREAT | IPC_EXCL | 0600));
    TRY_ID("semget, none", semget(other_key, 0, IPC_CREAT | 0600));
    TRY_ID("semget, a negative number", semget(other_key, -1, IPC_CREAT | 0600));
    TRY_ID("semget, too many", semget(other_key, 1 << 30, IPC_CREAT | 0600));
    const int one = TRY_ID("semget, private", semget(IPC_PRIVATE, 1, 0600));
    argument.value = 7;
    TRY("semctl, SETVAL", semctl(id, 1, SETVAL, argument));
    TRY("semctl, SETVAL, a plain int", semctl(id, 2, SETVAL, 9));
    TRY("semctl, GETVAL", semctl(id, 1, GETVAL));
    TRY("semctl, GETVAL", semctl(id, 2, GETVAL));
    TRY("semctl, GETVAL, no such", semctl(id, 3, GETVAL));
    unsigned short values[3] = {1, 2, 3};
    argument.values = values;
    TRY("semctl, SETALL", semctl(id, 0, SETALL, argument));
    values[1] = 0;
    TRY("semctl, GETALL", semctl(id, 0, GETALL, argument));
    printf("  %d %d %d\n", values[0], values[1], values[2]);
    argument.values = (unsigned short*)8;
    TRY("semctl, GETALL, nowhere", semctl(id, 0, GETALL, argument));
    TRY("semctl, IPC_RMID", semctl(id, 0, IPC_RMID));
    TRY("semctl, IPC_RMID, again", semctl(id, 0, IPC_RMID));
    TRY("semctl, IPC_RMID, an argument", semctl(one, 4711, IPC_RMID, argument));
    TRY("semctl, no such command", semctl(id, 0, 4711));
}

static void queues(void) {
    TRY_ID("msgget, absent", msgget(key, 0));
    const int id = TRY_ID("msgget, created", msgget(key, IPC_CREAT | 0640));
    struct msqid_ds data;
    TRY("msgctl, IPC_STAT", msgctl(id, IPC_STAT, &data));
    printf("  mode %o\n", data.msg_perm.mode);
    const int again = TRY_ID("msgget, there", msgget(key, IPC_CREAT | 0600));
    printf("  the same: %d\n", again == id);
    TRY_ID("msgget, exclusive", msgget(key, IPC_CREAT | IPC_EXCL));
    const int one = TRY_ID("msgget, private", msgget(IPC_PRIVATE, 0600));
    struct { long type; char text[8]; } message = {1, "seven"};
    TRY("msgsnd", msgsnd(id, &message, sizeof message.text, 0));
    TRY("msgctl, nowhere", msgctl(id, IPC_STAT, (struct msqid_ds*)8));
    TRY("msgctl, IPC_RMID", msgctl(id, IPC_RMID, NULL));
    TRY("msgctl, IPC_RMID, again", msgctl(id, IPC_RMID, NULL));
    TRY("msgctl, IPC_RMID, the other", msgctl(one, IPC_RMID, (struct msqid_ds*)8));
    TRY("msgctl, no such command", msgctl(id, 4711, &data));
}

// What somebody else owns may be seen and not taken.
static void others(void) {
    const int memory = shmget(key, 100, IPC_CREAT | 0600);
    const int set = semget(key, 1, IPC_CREAT | 0600);
    const int queue = msgget(key, IPC_CREAT | 0600);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        if (setresuid(65534, 65534, 65534) != 0) _exit(1);
        TRY_ID("shmget, somebody else's", shmget(key, 100, IPC_CREAT | 0600));
        TRY_ID("semget, somebody else's", semget(key, 1, IPC_CREAT | 0600));
        TRY_ID("msgget, somebody else's", msgget(key, IPC_CREAT | 0600));
        TRY("shmctl, somebody else's", shmctl(memory, IPC_RMID, NULL));
        TRY("semctl, somebody else's", semctl(set, 0, IPC_RMID));
        TRY("msgctl, somebody else's", msgctl(queue, IPC_RMID, NULL));
        _exit(0);
    }
    reap("somebody else", child);
    TRY("shmctl, IPC_RMID", shmctl(memory, IPC_RMID, NULL));
    TRY("semctl, IPC_RMID", semctl(set, 0, IPC_RMID));
    TRY("msgctl, IPC_RMID", msgctl(queue, IPC_RMID, NULL));
}

int main(void) {
    shared_memory();
    semaphores();
    queues();
    others();
    return 0;
}
