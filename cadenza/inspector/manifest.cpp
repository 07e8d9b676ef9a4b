#include "cadenza/inspector/manifest.h"

#include <algorithm>
#include <array>
#include <set>

#include "cadenza/base/digest.h"
#include "cadenza/base/error.h"
#include "cadenza/base/json.h"

namespace cadenza {

namespace {

constexpr std::array kSources = {ThresholdSource::kLeftOut, ThresholdSource::kHeldBack,
                                 ThresholdSource::kManual};
constexpr std::string_view kChecksumKey = "\"checksum\"";

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const PieceRef& piece) { return {{"sha256", piece.sha256}, {"bytes", piece.n_bytes}}; }

Json to_json(const ThresholdRecord& threshold) {
  return {{"value", or_null(threshold.value)},
          {"source", to_string(threshold.source)},
          {"target_fpr", threshold.target_fpr},
          {"certified", threshold.is_certified},
          {"n_normals", threshold.n_normals}};
}

Json to_json(const TaskRecord& task) {
  return {{"id", task.id},
          {"name", task.name},
          {"n_images", task.n_images},
          {"learned", task.learned},
          {"state", to_json(task.state)},
          {"threshold", to_json(task.threshold)},
          {"reject_above", or_null(task.reject_above)},
          {"map_threshold", or_null(task.map_threshold)}};
}

Json to_json(const Generation& generation) {
  Json tasks = Json::array();
  for (const auto& task : generation.tasks) tasks.push_back(to_json(task));
  return {{"generation", generation.number},
          {"written", generation.written},
          {"change", generation.change},
          {"shared", to_json(generation.shared)},
          {"tasks", std::move(tasks)}};
}

/// Takes members out of one JSON object; every error names the file and the member.
class MemberReader {
 public:
  MemberReader(const Json& object, std::string name) : object_(object), name_(std::move(name)) {
    CADENZA_REQUIRE(object.is_object(), ErrorCode::kCorruptData, name_, ": expected an object");
  }

  const Json& at(std::string_view key) const { return json_member(object_, key, name_); }

  std::string text(std::string_view key) const {
    require(at(key).is_string(), key, "a text");
    return at(key).get<std::string>();
  }
  std::int64_t count(std::string_view key) const {
    const Json& value = at(key);
    require(value.is_number_unsigned() && value.get<std::uint64_t>() < (std::uint64_t{1} << 62),
            key, "a count");
    return value.get<std::int64_t>();
  }
  double real(std::string_view key) const {
    require(at(key).is_number(), key, "a number");
    return at(key).get<double>();
  }
  std::optional<double> real_or_null(std::string_view key) const {
    if (at(key).is_null()) return std::nullopt;
    return real(key);
  }
  bool flag(std::string_view key) const {
    require(at(key).is_boolean(), key, "true or false");
    return at(key).get<bool>();
  }
  const Json& list(std::string_view key) const {
    require(at(key).is_array(), key, "a list");
    return at(key);
  }
  MemberReader object(std::string_view key) const { return {at(key), cat(name_, ": ", key)}; }

  void require(bool condition, std::string_view key, std::string_view expected) const {
    CADENZA_REQUIRE(condition, ErrorCode::kCorruptData, name_, ": '", key, "': expected ", expected,
                    ", found ", at(key).dump().substr(0, 40));
  }

 private:
  const Json& object_;
  std::string name_;
};

PieceRef read_piece(const MemberReader& reader) {
  PieceRef piece{reader.text("sha256"), static_cast<std::uint64_t>(reader.count("bytes"))};
  const bool is_digest = piece.sha256.size() == 64 &&
                         piece.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  reader.require(is_digest, "sha256", "64 hexadecimal digits");
  return piece;
}

ThresholdRecord read_threshold(const MemberReader& reader) {
  const std::string source = reader.text("source");
  const auto found = std::ranges::find(kSources, source, [](auto s) { return to_string(s); });
  reader.require(found != kSources.end(), "source", "left-out, held-back or manual");
  return {.value = reader.real_or_null("value"),
          .source = *found,
          .target_fpr = reader.real("target_fpr"),
          .is_certified = reader.flag("certified"),
          .n_normals = reader.count("n_normals")};
}

TaskRecord read_task(const MemberReader& reader) {
  return {.id = reader.count("id"),
          .name = reader.text("name"),
          .n_images = reader.count("n_images"),
          .learned = reader.text("learned"),
          .state = read_piece(reader.object("state")),
          .threshold = read_threshold(reader.object("threshold")),
          .reject_above = reader.real_or_null("reject_above"),
          .map_threshold = reader.real_or_null("map_threshold")};
}

Generation read_generation(const Json& json, const std::string& name) {
  const MemberReader reader(json, name);
  Generation generation{.number = reader.count("generation"),
                        .written = reader.text("written"),
                        .change = reader.text("change"),
                        .shared = read_piece(reader.object("shared")),
                        .tasks = {}};
  std::set<std::int64_t> ids;
  std::set<std::string> names;
  for (const auto& item : reader.list("tasks")) {
    generation.tasks.push_back(
        read_task(MemberReader(item, cat(name, ": task ", generation.tasks.size()))));
    const auto& task = generation.tasks.back();
    CADENZA_REQUIRE(ids.insert(task.id).second && names.insert(task.name).second,
                    ErrorCode::kCorruptData, name, ": task '", task.name, "' stands there twice");
  }
  return generation;
}

/// The digest over every byte before the checksum member; that member is always the last.
void require_checksum(std::string_view text, const std::string& name) {
  const auto position = text.rfind(kChecksumKey);
  CADENZA_REQUIRE(position != std::string_view::npos, ErrorCode::kCorruptData, name,
                  ": no checksum; the file was cut off or written by something else");
  const std::string expected = cat("\"", sha256_hex(text.substr(0, position)), "\"");
  CADENZA_REQUIRE(text.substr(position).find(expected) != std::string_view::npos,
                  ErrorCode::kCorruptData, name,
                  ": the checksum does not match: the file was damaged or edited by hand; restore "
                  "it from a copy");
}

}  // namespace

std::string_view to_string(ThresholdSource source) noexcept {
  switch (source) {
    case ThresholdSource::kLeftOut:
      return "left-out";
    case ThresholdSource::kHeldBack:
      return "held-back";
    case ThresholdSource::kManual:
      return "manual";
  }
  return "manual";
}

const TaskRecord* Generation::find(std::string_view task) const {
  const auto found = std::ranges::find(tasks, task, &TaskRecord::name);
  return found == tasks.end() ? nullptr : &*found;
}

std::string Manifest::digest() const {
  Json parts = {method, state_version, options, fingerprint, current().shared.sha256};
  for (const auto& task : current().tasks) {
    parts.push_back({task.id, task.name, task.state.sha256, or_null(task.threshold.value),
                     or_null(task.reject_above), or_null(task.map_threshold)});
  }
  return "sha256:" + sha256_hex(parts.dump());
}

std::string write_manifest(const Manifest& manifest) {
  Json json;
  json["format"] = Manifest::kFormat;
  json["method"] = {{"name", manifest.method},
                    {"state_version", manifest.state_version},
                    {"options", manifest.options}};
  json["network"] = {{"name", manifest.network}, {"fingerprint", manifest.fingerprint}};
  json["next_task_id"] = manifest.next_task_id;
  json["next_generation"] = manifest.next_generation;
  json["history"] = Json::array();
  for (const auto& generation : manifest.history) json["history"].push_back(to_json(generation));
  std::string text = json.dump(1);
  text.resize(text.size() - std::string_view("\n}").size());
  text += ",\n ";
  text += cat(kChecksumKey, ": \"", sha256_hex(text), "\"\n}\n");
  return text;
}

Manifest parse_manifest(std::string_view text, std::string_view name) {
  const std::string file(name);
  const Json json = parse_json(text, name);
  const MemberReader reader(json, file);
  const std::int64_t format = reader.count("format");
  CADENZA_REQUIRE(format <= Manifest::kFormat, ErrorCode::kUnsupported, file, ": format ", format,
                  " is newer than this program, which reads up to format ", Manifest::kFormat,
                  "; install the version of Cadenza that wrote it");
  reader.require(format == Manifest::kFormat, "format", "1");
  require_checksum(text, file);

  const auto method = reader.object("method");
  const auto network = reader.object("network");
  Manifest manifest{.method = method.text("name"),
                    .state_version = method.count("state_version"),
                    .options = {},
                    .network = network.text("name"),
                    .fingerprint = network.text("fingerprint"),
                    .next_task_id = reader.count("next_task_id"),
                    .next_generation = reader.count("next_generation"),
                    .history = {}};
  const auto options = method.object("options");
  for (const auto& [key, value] : method.at("options").items()) {
    manifest.options[key] = options.text(key);
  }
  for (const auto& item : reader.list("history")) {
    manifest.history.push_back(
        read_generation(item, cat(file, ": history ", manifest.history.size())));
    const auto& last = manifest.history.back();
    for (const auto& task : last.tasks) {
      CADENZA_REQUIRE(task.id < manifest.next_task_id, ErrorCode::kCorruptData, file, ": task '",
                      task.name, "' has id ", task.id, ", but next_task_id is ",
                      manifest.next_task_id);
    }
    CADENZA_REQUIRE(last.number < manifest.next_generation, ErrorCode::kCorruptData, file,
                    ": generation ", last.number, " is not below next_generation");
  }
  reader.require(!manifest.history.empty(), "history", "at least one generation");
  return manifest;
}

}  // namespace cadenza
