#include "reporter/model/decompress.h"

#include <array>
#include <memory>
#include <stdexcept>
#include <string_view>

#include <zlib.h>
#include <zstd.h>

#include "reporter/model/utf8.h"

namespace leftover {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t chunk = std::size_t{1} << 18;
// A few kilobytes can stand for terabytes of zeros; nobody's report is that large.
constexpr std::size_t largest = std::size_t{16} << 30;

[[noreturn]] void fail(const std::string& path, std::string_view what) {
    throw std::runtime_error(printable(path + ": " + std::string(what)));
}

void append(std::string& text, const char* data, std::size_t size, const std::string& path) {
    if (text.size() + size > largest) fail(path, "larger than 16 GiB when decompressed");
    text.append(data, size);
}

class Inflater {
public:
    Inflater() {
        constexpr int gzip_only = 16 + MAX_WBITS;
        if (inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc();
    }
    ~Inflater() { inflateEnd(&stream_); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    std::string run(std::string& bytes, const std::string& path) {
        std::string text;
        const auto buffer = std::make_unique<std::array<char, chunk>>();
        std::size_t at = 0;
        while (true) {
            // zlib counts in unsigned int.
            const std::size_t given = std::min(bytes.size() - at, std::size_t{1} << 30);
            stream_.next_in = reinterpret_cast<Bytef*>(bytes.data() + at);
            stream_.avail_in = static_cast<uInt>(given);
            stream_.next_out = reinterpret_cast<Bytef*>(buffer->data());
            stream_.avail_out = static_cast<uInt>(chunk);
            const int result = inflate(&stream_, Z_NO_FLUSH);
            at += given - stream_.avail_in;
            append(text, buffer->data(), chunk - stream_.avail_out, path);
            if (result == Z_STREAM_END) {
                // What follows the last stream and is none itself is padding.
                if (!std::string_view(bytes).substr(at).starts_with("\x1f\x8b"sv)) return text;
                inflateReset(&stream_);
            } else if (result == Z_BUF_ERROR && at == bytes.size()) {
                fail(path, "cut off: the gzip stream is not complete");
            } else if (result != Z_OK) {
                fail(path, "damaged: no valid gzip stream");
            }
        }
    }

private:
    z_stream stream_{};
};

std::string unzstd(const std::string& bytes, const std::string& path) {
    const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
    if (context == nullptr) throw std::bad_alloc();
    std::string text;
    const auto buffer = std::make_unique<std::array<char, chunk>>();
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::size_t left = 0;
    bool full = false;
    while (in.pos < in.size || full) {
        ZSTD_outBuffer out{buffer->data(), chunk, 0};
        left = ZSTD_decompressStream(context.get(), &out, &in);
        if (ZSTD_isError(left) != 0) fail(path, "damaged: no valid zstd stream");
        append(text, buffer->data(), out.pos, path);
        full = out.pos == out.size;
        if (left == 0 && in.pos == in.size) break;
    }
    if (left != 0) fail(path, "cut off: the zstd stream is not complete");
    return text;
}

}  // namespace

std::string decompressed(std::string bytes, const std::string& path) {
    if (bytes.starts_with("\x1f\x8b"sv)) return Inflater().run(bytes, path);
    if (bytes.starts_with("\x28\xb5\x2f\xfd"sv)) return unzstd(bytes, path);
    return bytes;
}

bool take_compression_ending(std::string& name) {
    for (const std::string_view ending : {".gz", ".zst"}) {
        if (!name.ends_with(ending)) continue;
        name.resize(name.size() - ending.size());
        return true;
    }
    return false;
}

}  // namespace leftover
