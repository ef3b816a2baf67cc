// calls: mq_open __mq_open_2 mq_close mq_unlink
#include <mqueue.h>

#include "call.h"

extern mqd_t __mq_open_2(const char* name, int flags);

static void tell_queue(const char* what, mqd_t queue) {
    struct mq_attr attributes;
    struct stat status;
    if (queue == (mqd_t)-1) return;
    mq_getattr(queue, &attributes);
    fstat(queue, &status);
    printf("  %s: flags %lx, %ld messages of %ld, mode %o\n", what, attributes.mq_flags, attributes.mq_maxmsg,
           attributes.mq_msgsize, status.st_mode & 07777);
}

static void open_all(void) {
    struct mq_attr attributes = {.mq_maxmsg = 3, .mq_msgsize = 64};
    TRY("mq_open, absent", mq_open("/call", O_RDWR));
    mqd_t queue = TRY_ANY("mq_open, created", mq_open("/call", O_CREAT | O_RDWR, 0666, NULL));
    tell_queue("the machine's own", queue);
    mqd_t again = TRY_ANY("mq_open, there", mq_open("/call", O_CREAT | O_RDONLY | O_NONBLOCK, 0600, &attributes));
    tell_queue("as it was", again);
    TRY("mq_open, exclusive", mq_open("/call", O_CREAT | O_EXCL | O_RDWR, 0600, NULL));
    TRY_ANY("mq_open, without O_CREAT", mq_open("/call", O_WRONLY));
    TRY("mq_open, exclusive, no O_CREAT", mq_close(mq_open("/call", O_EXCL | O_RDWR)));
    mqd_t other = TRY_ANY("mq_open, attributes", mq_open("/call-2", O_CREAT | O_EXCL | O_RDWR, 0640, &attributes));
    tell_queue("the second", other);
    TRY("mq_send", mq_send(other, "x", 1, 0));
    attributes.mq_maxmsg = -1;
    TRY("mq_open, bad attributes", mq_open("/call-3", O_CREAT | O_RDWR, 0600, &attributes));
    TRY_ANY("mq_open, there, bad attributes", mq_open("/call", O_CREAT | O_RDWR, 0600, &attributes));
    TRY("mq_close", mq_close(queue));
    TRY("mq_close, again", mq_close(queue));
    TRY("mq_close, the other", mq_close(again));
}

static void names(void) {
    char name[400];
    memset(name, 'x', sizeof name);
    name[0] = '/';
    name[sizeof name - 1] = 0;
    TRY("mq_open, no slash", mq_open("call", O_CREAT | O_RDWR, 0600, NULL));
    TRY("mq_open, two slashes", mq_open("//call", O_CREAT | O_RDWR, 0600, NULL));
    TRY("mq_open, a slash only", mq_open("/", O_CREAT | O_RDWR, 0600, NULL));
    TRY("mq_open, empty", mq_open("", O_CREAT | O_RDWR, 0600, NULL));
    TRY("mq_open, a path", mq_open("/a/b", O_CREAT | O_RDWR, 0600, NULL));
    TRY("mq_open, a dot", mq_open("/.", O_CREAT | O_RDWR, 0600, NULL));
    TRY("mq_open, too long", mq_open(name, O_CREAT | O_RDWR, 0600, NULL));
    name[257] = 0;
    TRY("mq_open, one too long", mq_open(name, O_CREAT | O_RDWR, 0600, NULL));
    name[256] = 0;
    TRY_ANY("mq_open, just short enough", mq_open(name, O_CREAT | O_RDWR, 0600, NULL));
    TRY("mq_unlink, long", mq_unlink(name));
}

static void bad_addresses(void) {
    struct mq_attr* nowhere = (struct mq_attr*)8;
    TRY("mq_open, attributes nowhere", mq_open("/call-4", O_CREAT | O_RDWR, 0600, nowhere));
    TRY("mq_open, there, attributes nowhere", mq_open("/call", O_CREAT | O_RDWR, 0600, nowhere));
    TRY("mq_open, not asked for", mq_close(mq_open("/call", O_RDWR, 0600, nowhere)));
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        TRY("mq_open, a name nowhere", mq_open((char*)8, O_CREAT | O_RDWR, 0600, NULL));
        _exit(0);
    }
    reap("mq_open, a name nowhere", child);
}

int main(void) {
    mqd_t first = mq_open("/call-two", O_CREAT | O_RDWR, 0600, NULL);
    mqd_t second = TRY_ANY("__mq_open_2", __mq_open_2("/call-two", O_RDONLY));
    TRY_ANY("__mq_open_2, absent", __mq_open_2("/call-absent", O_RDONLY));
    TRY("mq_close", mq_close(second));
    TRY("mq_close again", mq_close(second));
    TRY("mq_close of none", mq_close(-1));
    mq_close(first);
    mq_unlink("/call-two");
    umask(022);
    mq_unlink("/call");
    mq_unlink("/call-2");
    open_all();
    names();
    bad_addresses();
    TRY("mq_unlink, no slash", mq_unlink("call"));
    TRY("mq_unlink, a path", mq_unlink("/a/b"));
    TRY("mq_unlink", mq_unlink("/call"));
    TRY("mq_unlink, absent", mq_unlink("/call"));
    TRY("mq_unlink, the second", mq_unlink("/call-2"));
    // Nobody's right to remove or read it.
    TRY_ANY("mq_open, for the owner only", mq_open("/call", O_CREAT | O_RDWR, 0, NULL));
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        if (setresuid(65534, 65534, 65534) != 0) _exit(1);
        TRY("mq_open, somebody else's", mq_open("/call", O_CREAT | O_RDWR, 0600, NULL));
        TRY("mq_unlink, somebody else's", mq_unlink("/call"));
        _exit(0);
    }
    reap("somebody else", child);
    TRY("mq_unlink, the last", mq_unlink("/call"));
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, 0});
    TRY("mq_open, no descriptors", mq_open("/call", O_CREAT | O_RDWR, 0600, NULL));
    TRY("mq_unlink, nothing was made", mq_unlink("/call"));
    return 0;
}
