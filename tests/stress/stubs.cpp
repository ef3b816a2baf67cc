// What preload/core calls of the rest of the shim: no hooks, no Python, not by hand.
#include "preload/core/hook.h"
#include "preload/hand/hand.h"
#include "preload/hand/signals.h"
#include "preload/python/detected.h"

namespace leftover {

namespace {
void* nothing = nullptr;
__attribute__((section("leftover_hooks"), used, aligned(sizeof(void*)))) const HookRow row{"nothing", &nothing, nullptr};
}  // namespace

namespace hand {
bool configure(const char*) { return false; }
bool begin_session() { return false; }
void start() {}
void after_fork() {}
void at_end(record::Ending, int) {}
void await_end() {}
void install_handlers() {}
void remove_handlers() {}
}  // namespace hand

namespace python {
int (*each_module)(int (*visit)(dl_phdr_info*, std::size_t, void*), void* data) = nullptr;
bool detect(const char*) noexcept { return false; }
std::atomic<const Interpreter*> active{nullptr};
std::size_t capture(FrameSink, void*, std::size_t) noexcept { return 0; }
}  // namespace python

}  // namespace leftover
