#include "reporter/model/decompress.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "trouble.h"

namespace leftover {
namespace {

std::string gzipped(const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string bytes(text.size() + 1000, '\0');
    std::string copy = text;
    stream.next_in = reinterpret_cast<Bytef*>(copy.data());
    stream.avail_in = static_cast<uInt>(copy.size());
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
    stream.avail_out = static_cast<uInt>(bytes.size());
    deflate(&stream, Z_FINISH);
    bytes.resize(stream.total_out);
    deflateEnd(&stream);
    return bytes;
}

std::string zstded(const std::string& text) {
    std::string bytes(ZSTD_compressBound(text.size()), '\0');
    bytes.resize(ZSTD_compress(bytes.data(), bytes.size(), text.data(), text.size(), 3));
    return bytes;
}

std::string sample() {
    std::string text;
    for (int i = 0; i < 200'000; ++i) text += std::to_string(i * 7919);
    return text;
}

std::string trouble_of(const std::string& bytes) {
    return trouble_in([&] { decompressed(bytes, "x"); });
}

TEST(Decompress, GivesBackWhatWasThere) {
    const std::string text = sample();
    EXPECT_EQ(decompressed(gzipped(text), "x"), text);
    EXPECT_EQ(decompressed(zstded(text), "x"), text);
    EXPECT_EQ(decompressed(gzipped("a") + gzipped("b"), "x"), "ab");
    EXPECT_EQ(decompressed(zstded("a") + zstded("b"), "x"), "ab");
    EXPECT_EQ(decompressed(gzipped(""), "x"), "");
    EXPECT_EQ(decompressed(zstded(""), "x"), "");
    EXPECT_EQ(decompressed("{}", "x"), "{}");
    EXPECT_EQ(decompressed("", "x"), "");
}

TEST(Decompress, SaysWhatIsWrong) {
    const std::string gz = gzipped(sample());
    const std::string zst = zstded(sample());
    EXPECT_EQ(trouble_of(gz.substr(0, gz.size() / 2)), "x: cut off: the gzip stream is not complete");
    EXPECT_EQ(trouble_of(zst.substr(0, zst.size() / 2)), "x: cut off: the zstd stream is not complete");
    EXPECT_EQ(trouble_of(gz.substr(0, 3)), "x: cut off: the gzip stream is not complete");
    std::string damaged = gz;
    for (std::size_t i = 20; i < 60; ++i) damaged[i] = '\xff';
    EXPECT_EQ(trouble_of(damaged), "x: damaged: no valid gzip stream");
    damaged = zst;
    for (std::size_t i = 4; i < 60; ++i) damaged[i] = '\xff';
    EXPECT_EQ(trouble_of(damaged), "x: damaged: no valid zstd stream");
}

}  // namespace
}  // namespace leftover
