#include "cadenza/base/digest.h"

#include <array>

#include <openssl/evp.h>

#include "cadenza/base/error.h"

namespace cadenza {

struct Sha256::Context {
  EVP_MD_CTX* handle = EVP_MD_CTX_new();
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(handle); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  CADENZA_DCHECK(EVP_DigestInit_ex(context_->handle, EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::span<const std::byte> bytes) {
  CADENZA_DCHECK(EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size()) == 1);
}
void Sha256::add(std::string_view text) { add(std::as_bytes(std::span(text.data(), text.size()))); }

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest{};
  CADENZA_DCHECK(EVP_DigestFinal_ex(context_->handle, digest.data(), nullptr) == 1);
  std::string text;
  for (const auto byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 digest;
  digest.add(bytes);
  return digest.hex();
}
std::string sha256_hex(std::string_view text) {
  return sha256_hex(std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace cadenza
