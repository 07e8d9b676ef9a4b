#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cadenza {

/// Reads a buffer from front to back and never past its end: every length that a file claims is
/// compared with what remains before anything is taken or allocated.
///
/// Errors   each call throws kCorruptData, naming the buffer, the offset, the wanted and the
///          remaining bytes.
class ByteReader {
 public:
  /// Borrows `bytes`; `name` (a file, an archive entry) opens every message.
  ByteReader(std::span<const std::byte> bytes, std::string name);

  std::span<const std::byte> take(std::uint64_t n_bytes);
  std::string_view take_text(std::uint64_t n_bytes);
  void skip(std::uint64_t n_bytes) { take(n_bytes); }
  /// Jumps to an absolute offset within [0, size].
  void seek(std::uint64_t offset);

  std::uint8_t u8();
  std::uint16_t u16();  ///< little-endian, like the wider ones
  std::uint32_t u32();
  std::uint64_t u64();
  std::uint16_t u16_big_endian();
  std::uint32_t u32_big_endian();

  std::uint64_t position() const noexcept { return position_; }
  std::uint64_t remaining() const noexcept { return bytes_.size() - position_; }
  std::uint64_t size() const noexcept { return bytes_.size(); }
  const std::string& name() const noexcept { return name_; }

 private:
  std::span<const std::byte> bytes_;
  std::string name_;
  std::uint64_t position_ = 0;
};

}  // namespace cadenza
