#include <vector>

#include "fuzz/refusal.h"

#include "cadenza/checkpoint/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cadenza;
  expect_read_or_refused([&] {
    const auto checkpoint = read_safetensors(as_input(data, size), "input", nullptr);
    const auto written = write_safetensors(checkpoint);
    const auto again = read_safetensors(written, "written", nullptr);
    expect(again.tensors.size() == checkpoint.tensors.size(), "what is read can be written");
  });
  return 0;
}
