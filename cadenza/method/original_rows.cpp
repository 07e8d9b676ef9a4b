#include "cadenza/method/original_rows.h"

#include <vector>

#include <ATen/ATen.h>

namespace cadenza {

OriginalRows original_rows(const TaskData& data, std::span<const std::int64_t> rows) {
  std::vector<at::Tensor> pixels;
  at::Tensor task = at::empty({std::ssize(rows)}, at::kLong);
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const auto row = rows[at];
    pixels.push_back(data.pixels(row, row + 1));
    const auto which = data.task(row, row + 1).item<std::int64_t>();
    task[std::int64_t(at)] = data.tasks()[static_cast<std::size_t>(which)].id;
  }
  return {at::cat(pixels), task};
}

}  // namespace cadenza
