// JSON of any kind, and what `manifest.json` of a model directory may hold.
#include <string>

#include "fuzz/refusal.h"

#include "cadenza/base/digest.h"
#include "cadenza/base/json.h"
#include "cadenza/inspector/manifest.h"

namespace {

/// The same members with the right checksum at the end: without it nothing would get past that.
std::string with_checksum(cadenza::Json json) {
  json.erase("checksum");
  auto text = json.dump();
  text.back() = ',';
  return text + "\"checksum\": \"" + cadenza::sha256_hex(text) + "\"}";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cadenza;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  expect_read_or_refused([&] { parse_manifest(text, "input"); });
  expect_read_or_refused([&] {
    const auto json = parse_json(text, "input");
    expect(parse_json(json.dump(), "written") == json, "what is read can be written and read");
    if (!json.is_object() || json.empty()) return;
    const auto manifest = parse_manifest(with_checksum(json), "input");
    expect(parse_manifest(write_manifest(manifest), "written").digest() == manifest.digest(),
           "a manifest that is read can be written and read");
  });
  return 0;
}
