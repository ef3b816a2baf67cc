// Descriptors that this process opened and that are open when it ends, or now.
#include "preload/core/process.h"
#include "preload/core/text.h"
#include "preload/hand/judge.h"

namespace leftover::hand {

namespace {

// What was seen of it a moment ago (look_at_descriptors), else what it was opened by.
std::string_view name_of(const Resource& descriptor, Pool& pool) {
    char text[1024];
    RecordBytes bytes;
    if (descriptor.value != 0 && open_record(*descriptor.record, bytes)) {
        const std::size_t size = read_item(bytes, *descriptor.record, descriptor.value, record::ItemType::string,
                                           text, sizeof text);
        if (size != 0) return pool.keep({text, size < sizeof text ? size : sizeof text});
    }
    if (!descriptor.name.empty()) return descriptor.name;
    Text name(text, sizeof text);
    (name << "fd:").number(descriptor.b);
    return pool.keep(name.view());
}

}  // namespace

void judge_descriptors(const Case& about) {
    about.each(Kind::file_descriptor, [&](const Resource& descriptor) {
        if (descriptor.state != record::State::live || !about.is_own(descriptor)) return;
        Pool& pool = about.pool();
        Leak* const leak = about.findings.make(pool, Kind::file_descriptor, name_of(descriptor, pool), &descriptor);
        if (leak == nullptr) return;
        leak->fd = static_cast<int>(descriptor.b);
        about.findings.count(pool, leak);
    });
}

}  // namespace leftover::hand
