#include "cadenza/image/cutpaste_geometry.h"

#include <cmath>

namespace cadenza {

CutPasteGeometry cutpaste_geometry(const CutPasteUniforms& uniforms, std::int64_t image_width_px,
                                   std::int64_t image_height_px) {
  const double range = 0.1 + 0.9 * uniforms.aspect_range;
  const double area =
      (0.02 + 0.13 * uniforms.area) * double(image_width_px) * double(image_height_px);
  const double aspect = std::exp(std::log(range) * (1 - 2 * uniforms.aspect));
  CutPasteGeometry cut{};
  cut.width_px = static_cast<std::int64_t>(std::nearbyint(std::sqrt(area * aspect)));
  cut.height_px = static_cast<std::int64_t>(std::nearbyint(std::sqrt(area / aspect)));
  const auto place = [](double uniform, std::int64_t room) {
    return static_cast<std::int64_t>(uniform * double(room));
  };
  const auto room_y = image_height_px - cut.height_px, room_x = image_width_px - cut.width_px;
  cut.from_y = place(uniforms.position[0], room_y);
  cut.from_x = place(uniforms.position[1], room_x);
  cut.to_y = place(uniforms.position[2], room_y);
  cut.to_x = place(uniforms.position[3], room_x);
  return cut;
}

}  // namespace cadenza
