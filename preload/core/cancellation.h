// A thread may ask to be cancelled at any instruction (PTHREAD_CANCEL_ASYNCHRONOUS), and libc does so for it in
// the system calls that are cancellation points, where a signal handler of the program's may run. What others
// would wait for ever after, a lock of the unwinder's or a half-opened record, is no place to end in: meanwhile a
// cancellation waits.
//
// Neither makes a system call. Any context but a vforked child, once initialised.
#pragma once

#include "preload/core/law.h"

namespace leftover {

// Whether there is anything to allow again.
bool put_off_cancellation();

// As put_off_cancellation() found it. A cancellation that was asked for meanwhile happens here, and the caller's
// frames are left.
void allow_cancellation(bool put_off);

class Uncancelled {
  public:
    Uncancelled() : put_off_(put_off_cancellation()) {}
    ~Uncancelled() { allow_cancellation(put_off_); }
    Uncancelled(const Uncancelled&) = delete;
    Uncancelled& operator=(const Uncancelled&) = delete;

  private:
    bool put_off_;
};

}  // namespace leftover
