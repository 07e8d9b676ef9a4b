#include <cstring>
#include <vector>

#include "cadenza/base/bytes.h"
#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/network/weights.h"

namespace cadenza {

Weights read_weights(const std::filesystem::path& path) {
  const auto file = std::make_shared<MappedFile>(path);
  ByteReader reader(file->bytes(), path.string());
  const auto header = parse_json(reader.take_text(reader.u64()), path.string());
  const auto payload = reader.take(reader.remaining());
  Weights weights;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__" || entry.at("dtype") != "F32") continue;
    const auto begin = entry.at("data_offsets").at(0).get<std::uint64_t>();
    const auto end = entry.at("data_offsets").at(1).get<std::uint64_t>();
    CADENZA_REQUIRE(begin <= end && end <= payload.size(), ErrorCode::kCorruptData, path.string(),
                    ": offsets of '", name, "' leave the file");
    const auto* data = reinterpret_cast<const float*>(payload.data() + begin);
    weights.set(name, {entry.at("shape").get<Shape>(), {data, (end - begin) / 4}, file});
  }
  return weights;
}

}  // namespace cadenza
