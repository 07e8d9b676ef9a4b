#include "cadenza/tensor/state.h"

#include <utility>

#include "cadenza/base/error.h"

namespace cadenza {

PieceReader::PieceReader(const StatePiece& piece, std::string name)
    : piece_(piece), name_(std::move(name)) {}

at::Tensor PieceReader::tensor(const std::string& key) {
  const auto found = piece_.tensors.find(key);
  CADENZA_REQUIRE(found != piece_.tensors.end(), ErrorCode::kCorruptData, name_, ": no tensor '",
                  key, "'");
  read_.insert(key);
  return found->second;
}

const std::string& PieceReader::text(const std::string& key) {
  const auto found = piece_.texts.find(key);
  CADENZA_REQUIRE(found != piece_.texts.end(), ErrorCode::kCorruptData, name_, ": no text '", key,
                  "'");
  read_.insert(key);
  return found->second;
}

void PieceReader::finish() const {
  std::string unread;
  const auto check = [&](const auto& entries) {
    for (const auto& [key, value] : entries) {
      if (!read_.contains(key)) unread += cat(unread.empty() ? "" : ", ", key);
    }
  };
  check(piece_.tensors);
  check(piece_.texts);
  CADENZA_REQUIRE(unread.empty(), ErrorCode::kCorruptData, name_, ": unknown keys: ", unread);
}

}  // namespace cadenza
