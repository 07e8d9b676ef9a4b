// PyTorch's files, of both kinds, and the pickles in them alone.
#include "fuzz/refusal.h"

#include "cadenza/base/bytes.h"
#include "cadenza/checkpoint/torch_pth.h"
#include "cadenza/checkpoint/unpickle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cadenza;
  const auto bytes = as_input(data, size);
  expect_read_or_refused([&] { read_torch_pth(bytes, "input", nullptr); });
  expect_read_or_refused([&] {
    ByteReader reader(bytes, "input");
    unpickle(reader, {.n_values = 1 << 12});
  });
  return 0;
}
