// leftover: message_queue=2@make_queues
// POSIX message queues: closing one is not enough, its name has to be unlinked.
#include <assert.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

// A user may have 800 kB in all queues together.
static struct mq_attr small = {.mq_maxmsg = 2, .mq_msgsize = 64};

static void make_queues(int count) {
    for (int number = 0; number < count; number++) {
        char name[64];
        snprintf(name, sizeof name, "/sample-%d-%d", (int)getpid(), number);
        mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0600, &small);
        assert(queue != (mqd_t)-1);
        mq_close(queue);
    }
}

static void make_and_remove(void) {
    mqd_t queue = mq_open("/sample-tidy", O_CREAT | O_EXCL | O_RDWR, 0600, &small);
    assert(queue != (mqd_t)-1);
    assert(mq_unlink("/sample-tidy") == 0);
    mq_close(queue);
}

// Made here, removed by a child that goes on to use one of its parent's.
static void remove_in_child(void) {
    mqd_t queue = mq_open("/sample-child", O_CREAT | O_RDWR, 0600, &small);
    assert(queue != (mqd_t)-1);
    mq_close(queue);
    const pid_t child = fork();
    if (child == 0) {
        char name[64];
        snprintf(name, sizeof name, "/sample-%d-0", (int)getppid());
        queue = mq_open(name, O_CREAT | O_RDWR, 0600, &small);
        _exit(mq_unlink("/sample-child") != 0 || queue == (mqd_t)-1);
    }
    int status = 0;
    assert(waitpid(child, &status, 0) == child && status == 0);
}

int main(void) {
    make_and_remove();
    make_queues(2);
    remove_in_child();
    puts("two are left");
    return 0;
}
