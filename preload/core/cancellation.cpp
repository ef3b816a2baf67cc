#include "preload/core/cancellation.h"

#include <pthread.h>

#include "preload/core/hook.h"

namespace leftover {

// libc's own: a sanitizer's would look at what it is called with, also in a thread that it has done with.
REAL(int, pthread_setcanceltype, int type, int* before);

bool put_off_cancellation() {
    int before = PTHREAD_CANCEL_DEFERRED;
    if (real_pthread_setcanceltype == nullptr) return false;
    real_pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &before);
    return before == PTHREAD_CANCEL_ASYNCHRONOUS;
}

void allow_cancellation(bool put_off) {
    if (__builtin_expect(put_off, 0)) real_pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
}

}  // namespace leftover
