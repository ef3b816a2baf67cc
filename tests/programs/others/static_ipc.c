// Linked statically, so that no shim is in it: leaves one object of each kind, and keeps a message queue
// open in a child that stays behind when told `stay`. Told `other`, it becomes another user and has a child that
// stays behind with a file of its own in /dev/shm, beside one that nobody has open.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

int main(int count, char** words) {
    struct mq_attr small = {.mq_maxmsg = 1, .mq_msgsize = 16};
    if (count > 1 && words[1][0] == 'o') {
        if (setgid(65534) != 0 || setuid(65534) != 0) return 4;
        close(open("/dev/shm/strangers", O_CREAT | O_RDWR, 0600));
        if (open("/dev/shm/theirs", O_CREAT | O_RDWR, 0600) < 0) return 5;
        if (fork() == 0) {
            for (;;) pause();
        }
        return 0;
    }
    if (mq_open("/static", O_CREAT | O_RDWR, 0600, &small) < 0) return 1;
    if (shmget(IPC_PRIVATE, 4096, 0600) < 0 || semget(IPC_PRIVATE, 1, 0600) < 0) return 2;
    if (msgget(IPC_PRIVATE, 0600) < 0) return 3;
    if (count > 1 && fork() == 0) {
        for (;;) pause();
    }
    return 0;
}
