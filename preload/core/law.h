// THE LAW of everything under preload/, which runs inside somebody else's program:
//
//   no heap, no stdio, no exceptions, no threads, no open descriptor kept, no signal handler (by hand
//   excepted, see hand/signals.h), no lock held across a real call (the unwinder's across fork
//   excepted, see unwind_lock.h), errno kept;
//   it works after fork, in vforked children, in signal handlers, before main and after exit;
//   whatever goes wrong in here, the program goes on as if nothing had happened.
//
// System calls are made directly (sys.h), so that errno is never touched and no other library's
// interposed function is entered on our behalf.
#pragma once
