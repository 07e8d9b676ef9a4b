#include "cadenza/base/json.h"

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"

namespace cadenza {

Json parse_json(std::string_view text, std::string_view name) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw Error(ErrorCode::kCorruptData, cat(name, ": not JSON: at byte ", error.byte));
  }
}

Json read_json(const std::filesystem::path& path) {
  constexpr std::uint64_t kMaxJsonBytes = 1 << 28;
  const auto bytes = read_file(path, kMaxJsonBytes);
  return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

const Json& json_member(const Json& object, std::string_view key, std::string_view name) {
  CADENZA_REQUIRE(object.is_object(), ErrorCode::kCorruptData, name, ": not an object");
  const auto found = object.find(key);
  CADENZA_REQUIRE(found != object.end(), ErrorCode::kCorruptData, name, ": no '", key, "'");
  return *found;
}

}  // namespace cadenza
