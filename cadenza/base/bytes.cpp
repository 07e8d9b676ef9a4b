#include "cadenza/base/bytes.h"

#include <utility>

#include "cadenza/base/error.h"

namespace cadenza {

ByteReader::ByteReader(std::span<const std::byte> bytes, std::string name)
    : bytes_(bytes), name_(std::move(name)) {}

std::span<const std::byte> ByteReader::take(std::uint64_t n_bytes) {
  CADENZA_REQUIRE(n_bytes <= remaining(), ErrorCode::kCorruptData, name_, ": at offset ", position_,
                  ": ", n_bytes, " bytes wanted, ", remaining(), " remain");
  const auto taken = bytes_.subspan(position_, n_bytes);
  position_ += n_bytes;
  return taken;
}

std::string_view ByteReader::take_text(std::uint64_t n_bytes) {
  const auto taken = take(n_bytes);
  return {reinterpret_cast<const char*>(taken.data()), taken.size()};
}

void ByteReader::seek(std::uint64_t offset) {
  CADENZA_REQUIRE(offset <= bytes_.size(), ErrorCode::kCorruptData, name_, ": offset ", offset,
                  " lies behind the end at ", bytes_.size());
  position_ = offset;
}

namespace {

template <class Integer>
Integer little_endian(std::span<const std::byte> bytes) {
  Integer value = 0;
  for (std::size_t index = bytes.size(); index-- > 0;) {
    value = static_cast<Integer>((value << 8) | std::to_integer<Integer>(bytes[index]));
  }
  return value;
}

}  // namespace

std::uint8_t ByteReader::u8() { return std::to_integer<std::uint8_t>(take(1)[0]); }
std::uint16_t ByteReader::u16() {
  const auto b = take(2);
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(b[0]) |
                                    std::to_integer<unsigned>(b[1]) << 8);
}
std::uint32_t ByteReader::u32() { return little_endian<std::uint32_t>(take(4)); }
std::uint64_t ByteReader::u64() { return little_endian<std::uint64_t>(take(8)); }
std::uint16_t ByteReader::u16_big_endian() {
  const auto b = take(2);
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(b[0]) << 8 |
                                    std::to_integer<unsigned>(b[1]));
}
std::uint32_t ByteReader::u32_big_endian() {
  const std::uint32_t high = u16_big_endian();
  return high << 16 | u16_big_endian();
}

}  // namespace cadenza
