#include "cadenza/structure/region_source/write_mask_tree.h"

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>

#include <ATen/Parallel.h>

#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/image/decode.h"
#include "cadenza/image/resize.h"
#include "cadenza/structure/mask/label_map_file.h"
#include "cadenza/structure/region_source/region_maker.h"

namespace cadenza {

namespace fs = std::filesystem;

namespace {

const char* name_of(LabelMapFormat format) {
  return format == LabelMapFormat::k16Bit ? "16-bit" : "authors-8-bit";
}

Json record_of(const MaskTreeRequest& request) {
  // All options, so that other defaults of a later version are noticed.
  const Options options(cat("masks '", request.method, "'"), region_options(request.method),
                        request.options);
  Json texts = Json::object();
  for (const auto& [name, text] : options.texts()) texts[name] = text;
  return {{"method", request.method}, {"format", name_of(request.format)}, {"options", texts}};
}

void claim(const fs::path& out, const Json& record) {
  const auto file = out / "masks.json";
  if (fs::exists(file)) {
    const auto found = read_json(file);
    CADENZA_REQUIRE(found == record, ErrorCode::kInvalidArgument, file.string(),
                    ": the maps here were made with ", found.dump(), ", asked for is ",
                    record.dump(), "; name another --out");
    return;
  }
  std::error_code failure;
  fs::create_directories(out, failure);
  CADENZA_REQUIRE(!failure, ErrorCode::kIo, out.string(), ": cannot be made: ", failure.message());
  write_file_atomic(file, record.dump(2) + "\n");
}

/// Where each picture's map goes.
std::vector<fs::path> places_of(const fs::path& root, std::span<const fs::path> pictures,
                                const fs::path& out, LabelMapFormat format) {
  const auto base = fs::absolute(root).lexically_normal();
  std::vector<fs::path> places;
  std::map<fs::path, fs::path> taken;
  for (const auto& picture : pictures) {
    auto relative = fs::absolute(picture).lexically_normal().lexically_relative(base);
    CADENZA_REQUIRE(!relative.empty() && *relative.begin() != "..", ErrorCode::kInvalidArgument,
                    picture.string(), ": lies outside ", root.string(),
                    "; its map has no place in the tree");
    if (format == LabelMapFormat::k16Bit) relative.replace_extension(".png");
    const auto [known, is_new] = taken.emplace(relative, picture);
    CADENZA_REQUIRE(is_new, ErrorCode::kInvalidArgument, picture.string(), " and ",
                    known->second.string(), ": their maps would both be ", relative.string(),
                    "; rename one");
    places.push_back(out / relative);
  }
  return places;
}

class TreeMaker {
 public:
  TreeMaker(RegionMaker make, LabelMapFormat format, Progress& progress, std::stop_token stop)
      : make_(std::move(make)), format_(format), progress_(progress), stop_(std::move(stop)) {}

  void add(const fs::path& picture, const fs::path& place) {
    try {
      if (fs::exists(place)) {
        count(report_.n_kept);
        return;
      }
      const auto map = map_of(read_image(picture));
      fs::create_directories(place.parent_path());
      write_file_atomic(place, map);
      count(report_.n_written);
    } catch (const Error& error) {
      const bool is_of_picture = error.code() != ErrorCode::kCancelled &&
                                 std::string_view(error.what()).starts_with(picture.string());
      if (!is_of_picture) throw;
      const std::scoped_lock lock(mutex_);
      report_.failures.push_back({picture, error});
    }
    progress_.advance(1);
  }

  MaskTreeReport finish() {
    std::ranges::sort(report_.failures, {}, &MaskTreeFailure::picture);
    return std::move(report_);
  }

 private:
  std::vector<std::byte> map_of(const Image& image) const {
    if (format_ == LabelMapFormat::k16Bit) return encode_label_map(make_(image, stop_));
    constexpr std::int64_t kAuthorsSide = 224;
    return encode_label_map_8bit(
        make_(resize_opencv_linear(image, kAuthorsSide, kAuthorsSide), stop_));
  }

  void count(std::int64_t& number) {
    const std::scoped_lock lock(mutex_);
    ++number;
  }

  RegionMaker make_;
  LabelMapFormat format_;
  Progress& progress_;
  std::stop_token stop_;
  std::mutex mutex_;
  MaskTreeReport report_;
};

}  // namespace

MaskTreeReport write_mask_tree(const fs::path& root, std::span<const fs::path> pictures,
                               const fs::path& out, const MaskTreeRequest& request,
                               const NetworkEnvironment& environment, Progress& progress,
                               std::stop_token stop) {
  const auto places = places_of(root, pictures, out, request.format);
  auto make = make_region_maker(request.method, request.options, environment);
  claim(out, record_of(request));
  TreeMaker maker(std::move(make), request.format, progress, stop);
  const auto n = std::ssize(pictures);
  const auto add_range = [&](std::int64_t first, std::int64_t last) {
    for (auto index = first; index < last; ++index) {
      CADENZA_REQUIRE(!stop.stop_requested(), ErrorCode::kCancelled, out.string(),
                      ": stopped; the same command goes on where it was");
      const auto at = static_cast<std::size_t>(index);
      maker.add(pictures[at], places[at]);
    }
  };
  progress.begin("region maps", n);
  if (request.method == "sam") {
    add_range(0, n);
  } else {
    at::parallel_for(0, n, 1, add_range);
  }
  progress.end();
  return maker.finish();
}

}  // namespace cadenza
