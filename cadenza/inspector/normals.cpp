#include "cadenza/inspector/normals.h"

#include <map>

#include "cadenza/base/digest.h"
#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/suggest.h"
#include "cadenza/image/decode.h"
#include "cadenza/inspector/image_list.h"

namespace cadenza {

Normals gather_normals(std::span<const std::filesystem::path> paths) {
  const ImageList list = list_images(paths);
  if (!list.failures.empty()) throw list.failures.front().error;
  std::vector<std::string> names;
  for (const auto& path : paths) names.push_back(path.string());
  CADENZA_REQUIRE(!list.files.empty(), ErrorCode::kInvalidArgument,
                  names.empty() ? "no path of normal images was given" : join(names),
                  ": no image is there; expected .png .jpg .jpeg .bmp .tif .tiff .webp files");

  Normals normals{.files = {}, .notes = list.notes};
  if (list.n_skipped > 0) {
    normals.notes.push_back(cat(list.n_skipped, " files are no images by their names; skipped"));
  }
  std::map<std::string, std::filesystem::path> seen;
  for (const auto& file : list.files) {
    const auto [first, is_new] =
        seen.emplace(sha256_hex(read_file(file, DecodeOptions{}.limit_bytes)), file);
    if (is_new) {
      normals.files.push_back(file);
    } else {
      normals.notes.push_back(
          cat(file.string(), ": the same content as ", first->second.string(), "; learned once"));
    }
  }
  return normals;
}

}  // namespace cadenza
