// POSIX timers that nobody deleted before their process ends.
#include "preload/core/text.h"
#include "preload/hand/judge.h"

namespace leftover::hand {

void judge_timers(const Case& about) {
    about.each(Kind::timer, [&](const Resource& timer) {
        if (timer.state != record::State::live || !about.is_own(timer)) return;
        char name[32];
        Text text(name, sizeof name);
        (text << "timer:").number(timer.b);
        Pool& pool = about.pool();
        Leak* const leak = about.findings.make(pool, Kind::timer, pool.keep(text.view()), &timer);
        if (leak != nullptr) about.findings.count(pool, leak);
    });
}

}  // namespace leftover::hand
