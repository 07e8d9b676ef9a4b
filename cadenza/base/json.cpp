#include "cadenza/base/json.h"

#include <set>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"

namespace cadenza {

namespace {

constexpr int kMaxDepth = 128;

/// Told of every event while a text is parsed: refuses what a value could not show any more.
class Watch {
 public:
  explicit Watch(std::string_view name) : name_(name) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    CADENZA_REQUIRE(depth <= kMaxDepth, ErrorCode::kCorruptData, name_, ": nested deeper than ",
                    kMaxDepth);
    if (event == Json::parse_event_t::object_start) keys_.emplace_back();
    if (event == Json::parse_event_t::object_end) keys_.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      CADENZA_REQUIRE(keys_.back().insert(key).second, ErrorCode::kCorruptData, name_, ": '", key,
                      "' stands twice in one object");
    }
    return true;
  }

 private:
  std::string_view name_;
  std::vector<std::set<std::string>> keys_;  ///< of the objects that are open
};

}  // namespace

Json parse_json(std::string_view text, std::string_view name) {
  try {
    Watch watch(name);
    return Json::parse(text, [&](int depth, Json::parse_event_t event, Json& parsed) {
      return watch(depth, event, parsed);
    });
  } catch (const Json::parse_error& error) {
    throw Error(ErrorCode::kCorruptData, cat(name, ": not JSON: at byte ", error.byte));
  } catch (const Json::out_of_range&) {
    throw Error(ErrorCode::kCorruptData, cat(name, ": a number is outside what JSON readers hold"));
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
