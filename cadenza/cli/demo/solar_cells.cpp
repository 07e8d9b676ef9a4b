#include <charconv>
#include <sstream>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/cli/demo/products.h"

namespace cadenza {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTrainCells = 100;
constexpr std::size_t kTestCells = 30;  // of each label

struct Cell {
  fs::path file;
  double defect_probability = 0;
};

/// labels.csv: three columns divided by spaces, sorted by the cell number.
std::vector<Cell> cells_of(const fs::path& data, const std::string& type) {
  const auto labels = data / "labels.csv";
  const auto bytes = read_file(labels, 1 << 24);
  std::istringstream lines(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  std::vector<Cell> cells;
  std::string file, probability, cell_type;
  while (lines >> file >> probability >> cell_type) {
    if (cell_type != type) continue;
    double value = -1;
    std::from_chars(probability.data(), probability.data() + probability.size(), value);
    CADENZA_REQUIRE(value >= 0 && value <= 1, ErrorCode::kCorruptData, labels.string(), ": '", file,
                    "' has the defect probability '", probability, "'");
    cells.push_back({data / file, value});
  }
  CADENZA_REQUIRE(cells.size() > 4 * kTrainCells, ErrorCode::kCorruptData, labels.string(), ": ",
                  cells.size(), " cells of type ", type,
                  "; the wheel of elpv-dataset 1.0 holds more");
  return cells;
}

/// Links `n_wanted` of `cells`, evenly spaced, in `folder`; `kind` is what they have in common.
void link_cells(const std::vector<fs::path>& cells, std::size_t n_wanted, const fs::path& folder,
                Sample kind, std::vector<Sample>& samples) {
  CADENZA_REQUIRE(cells.size() >= n_wanted, ErrorCode::kCorruptData, folder.string(), ": ",
                  cells.size(), " cells, ", n_wanted, " wanted");
  fs::create_directories(folder);
  for (std::size_t index = 0; index < n_wanted; ++index) {
    const auto& target = cells[index * cells.size() / n_wanted];
    kind.file = folder / target.filename();
    fs::create_symlink(fs::absolute(target), kind.file);
    samples.push_back(kind);
  }
}

}  // namespace

std::vector<Sample> write_solar_cells(const fs::path& elpv, const fs::path& out) {
  std::vector<Sample> samples;
  for (const std::string type : {"mono", "poly"}) {
    const auto cells = cells_of(elpv / "elpv_dataset" / "data", type);
    std::vector<fs::path> train, test_good, test_defective;
    for (std::size_t index = 0; index < cells.size(); ++index) {
      const bool is_test = index % 5 >= 3;  // held back from every lot: lots differ
      const auto& cell = cells[index];
      if (cell.defect_probability == 0) (is_test ? test_good : train).push_back(cell.file);
      if (cell.defect_probability == 1 && is_test) test_defective.push_back(cell.file);
    }
    const auto task = "solar_" + type;
    link_cells(train, kTrainCells, out / task / "train" / "good", {.task = task}, samples);
    link_cells(test_good, kTestCells, out / task / "test" / "good",
               {.task = task, .split = Split::kTest}, samples);
    link_cells(test_defective, kTestCells, out / task / "test" / "defective",
               {.task = task, .split = Split::kTest, .is_defect = true, .defect_type = "defective"},
               samples);
  }
  return samples;
}

}  // namespace cadenza
