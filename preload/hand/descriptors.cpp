// The open descriptors of a record, made into resources like those that have a slot.
#include "preload/core/text.h"
#include "preload/hand/record.h"

namespace leftover::hand {

using record::ChunkType;
using record::Descriptor;
using record::DescriptorChunk;

namespace {

constexpr int attempts = 5;

bool is_live(const Descriptor& its) {
    return (its.state.load(std::memory_order_relaxed) & 0xff) == static_cast<std::uint32_t>(record::State::live);
}

void add(const Descriptor& its, std::uint32_t fd, Record& record, Pool& pool) {
    auto* const resource = pool.make<Resource>();
    if (resource == nullptr) return;
    resource->record = &record;
    resource->state = record::State::live;
    resource->kind = Kind::file_descriptor;
    resource->pid = record.pid;
    resource->tid = its.tid <= INT32_MAX ? static_cast<int>(its.tid) : 0;
    resource->stack = its.stack.load(std::memory_order_relaxed);
    resource->value = its.target.load(std::memory_order_relaxed);
    resource->created_ns = its.created_ns;
    resource->b = fd;
    resource->flags = its.flags;
    const std::size_t size = its.name_size <= sizeof its.name ? its.name_size : 0;
    resource->name = pool.keep({its.name, size});
    if ((its.flags & record::name_cut) != 0) {
        char text[sizeof its.name + 8];
        resource->name = pool.keep((Text(text, sizeof text) << "..." << resource->name).view());
    }
    resource->thread_name = pool.keep(text_of(its.thread_name));
    record.resources.add(pool, resource);
}

void read_chunk(const RecordBytes& bytes, const record::ChunkEntry& chunk, Record& record, Pool& pool) {
    alignas(DescriptorChunk) char head_bytes[sizeof(DescriptorChunk)];
    const auto& head = *reinterpret_cast<const DescriptorChunk*>(head_bytes);
    if (!bytes.read_all(chunk.offset, head_bytes, sizeof head_bytes)) {
        record.complete = false;
        return;
    }
    if (head.capacity > INT32_MAX || head.first > INT32_MAX ||
        sizeof head + head.capacity * std::uint64_t{sizeof(Descriptor)} > chunk.size) {
        record.complete = false;
        return;
    }
    alignas(Descriptor) char first[sizeof(Descriptor)];
    alignas(Descriptor) char second[sizeof(Descriptor)];
    const auto& its = *reinterpret_cast<const Descriptor*>(first);
    for (std::uint32_t i = 0; i < head.capacity; ++i) {
        const std::uint64_t offset = chunk.offset + sizeof head + std::uint64_t{i} * sizeof(Descriptor);
        for (int attempt = 0; attempt < attempts; ++attempt) {
            if (!bytes.read_all(offset, first, sizeof first) || !is_live(its)) break;
            if (!bytes.read_all(offset, second, sizeof second) ||
                __builtin_memcmp(first, second, sizeof first) != 0) {
                continue;
            }
            add(its, head.first + i, record, pool);
            break;
        }
    }
}

}  // namespace

void read_descriptors(const RecordBytes& bytes, Record& record, Pool& pool) {
    for (std::uint32_t c = 0; c < record.chunk_count; ++c) {
        if (record.chunks[c].type.load(std::memory_order_relaxed) ==
            static_cast<std::uint32_t>(ChunkType::descriptors)) {
            read_chunk(bytes, record.chunks[c], record, pool);
        }
    }
}

}  // namespace leftover::hand
