// The demo's products by themselves, then the whole command on made-up photographs.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/integration/command_fixture.h"
#include "tests/support/error_of.h"

#include "cadenza/base/rng.h"
#include "cadenza/cli/demo/products.h"
#include "cadenza/cli/exit_status.h"
#include "cadenza/image/decode.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

void write_bytes(const fs::path& file, const Image& picture) {
  fs::create_directories(file.parent_path());
  const auto bytes = encode_png(picture);
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
}

/// 512x512 px grey, as scikit-image's photographs are; every tile of 64 px has its own brightness.
Image tiles() {
  Image picture{512, 512, 1, {}};
  for (int y = 0; y < 512; ++y) {
    for (int x = 0; x < 512; ++x) {
      picture.pixels.push_back(static_cast<std::uint8_t>(60 + 2 * (y / 64 * 8 + x / 64)));
    }
  }
  return picture;
}

Image noise_around(int grey, std::uint64_t seed, std::int64_t side_px) {
  Image picture{side_px, side_px, 1, {}};
  Rng rng(seed, "noise");
  for (std::int64_t pixel = 0; pixel < side_px * side_px; ++pixel) {
    picture.pixels.push_back(static_cast<std::uint8_t>(grey + static_cast<int>(rng.below(9))));
  }
  return picture;
}

/// 410 cells of each type in labels.csv; every second one is defective.
void write_elpv(const fs::path& elpv) {
  const auto data = elpv / "elpv_dataset" / "data";
  fs::create_directories(data / "images");
  std::ofstream labels(data / "labels.csv");
  for (int cell = 0; cell < 820; ++cell) {
    const auto file = cat("images/cell", 10000 + cell, ".png");
    const bool is_defective = cell % 4 >= 2;
    labels << file << "  " << (is_defective ? "1.0" : "0.0") << (cell % 2 == 0 ? " mono" : " poly")
           << "\n";
    const int base = cell % 2 == 0 ? 30 : 80;
    write_bytes(data / file,
                noise_around(is_defective ? base + 8 : base, static_cast<std::uint64_t>(cell), 16));
  }
}

class DemoProducts : public ::testing::Test {
 protected:
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  std::vector<Sample> textures(const std::string& out) const {
    for (const auto* name : {"brick.png", "gravel.png", "grass.png"}) {
      write_bytes(path("photographs") / name, tiles());
    }
    return write_textures(path("photographs"), path(out), no_progress());
  }
  static Image read(const fs::path& file) { return read_image(file, {}); }

  TemporaryFolder folder_;
};

TEST_F(DemoProducts, TrainingAndTestCropsShareNoPixel) {
  std::map<std::string, std::set<int>> trained, tested;  // brightness: which tile it was
  for (const auto& sample : textures("out")) {
    if (sample.is_defect) continue;
    const auto picture = read(sample.file);
    EXPECT_EQ(picture.height_px, 128);
    const auto brightness = picture.pixels[0];
    EXPECT_EQ(std::ranges::count(picture.pixels, brightness), 128 * 128) << "of one tile alone";
    const bool is_new =
        (sample.split == Split::kTrain ? trained : tested)[sample.task].insert(brightness).second;
    EXPECT_TRUE(is_new) << sample.file;
  }
  for (const auto* name : {"brick", "gravel"}) {
    EXPECT_EQ(trained[name].size(), 40);
    EXPECT_EQ(tested[name].size(), 12);
    for (const int brightness : tested[name]) EXPECT_FALSE(trained[name].contains(brightness));
  }
  EXPECT_EQ(trained.count("grass"), 0);
  EXPECT_EQ(tested["grass"].size(), 48);
}

TEST_F(DemoProducts, AMaskCoversWhatWasDrawn) {
  std::set<std::string> types;
  for (const auto& sample : textures("out")) {
    ASSERT_NE(sample.task == "grass" && sample.split == Split::kTrain, true);
    ASSERT_EQ(sample.masks.size(), sample.is_defect ? 1 : 0) << sample.file;
    if (!sample.is_defect) continue;
    types.insert(sample.defect_type);
    const auto picture = read(sample.file), mask = read(sample.masks[0].path);
    ASSERT_EQ(mask.pixels.size(), picture.pixels.size());
    std::array<int, 256> pixels_of{};
    for (const auto pixel : picture.pixels) ++pixels_of[pixel];
    const auto tile = std::ranges::max_element(pixels_of) - pixels_of.begin();
    std::vector<std::size_t> drawn;
    for (std::size_t pixel = 0; pixel < picture.pixels.size(); ++pixel) {
      if (std::abs(picture.pixels[pixel] - int(tile)) > 60) drawn.push_back(pixel);
    }
    for (const auto pixel : drawn) ASSERT_EQ(mask.pixels[pixel], 255) << sample.file;
    const auto n_masked = std::ranges::count(mask.pixels, 255);
    EXPECT_GT(n_masked, 30) << sample.file;
    EXPECT_LT(n_masked, 128 * 128 / 4) << sample.file;
    EXPECT_EQ(n_masked + std::ranges::count(mask.pixels, 0), 128 * 128);
  }
  EXPECT_EQ(types, (std::set<std::string>{"misplaced_patch", "scratch", "stain"}));
}

TEST_F(DemoProducts, EveryRunCutsTheSameTextures) {
  const auto first = textures("first"), second = textures("second");
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t index = 0; index < first.size(); ++index) {
    EXPECT_EQ(read(first[index].file).pixels, read(second[index].file).pixels);
  }
}

TEST_F(DemoProducts, SolarCellsOfTrainingAndTestAreOthers) {
  write_elpv(path("elpv"));
  const auto samples = write_solar_cells(path("elpv"), path("out"));
  std::map<std::pair<std::string, Split>, int> counts;
  std::map<std::string, std::set<std::string>> cells;
  for (const auto& sample : samples) {
    ++counts[{sample.task, sample.split}];
    EXPECT_TRUE(fs::is_symlink(sample.file));
    EXPECT_TRUE(fs::exists(sample.file));
    EXPECT_TRUE(cells[sample.task].insert(sample.file.filename().string()).second) << sample.file;
    EXPECT_FALSE(sample.is_defect && sample.split == Split::kTrain);
  }
  for (const auto* task : {"solar_mono", "solar_poly"}) {
    EXPECT_EQ((counts[{task, Split::kTrain}]), 100);
    EXPECT_EQ((counts[{task, Split::kTest}]), 60);
  }
}

TEST_F(DemoProducts, LabelsThatAreNotTheWheelsAreNamed) {
  const auto data = path("elpv") / "elpv_dataset" / "data";
  fs::create_directories(data);
  std::ofstream(data / "labels.csv") << "images/cell0001.png much mono\n";
  const auto damaged = error_of([&] { write_solar_cells(path("elpv"), path("out")); });
  EXPECT_EQ(damaged.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(damaged.what(), HasSubstr("labels.csv: 'images/cell0001.png' has the defect "
                                        "probability 'much'"));
  std::ofstream(data / "labels.csv") << "images/cell0001.png 1.0 mono\n";
  const auto short_list = error_of([&] { write_solar_cells(path("elpv"), path("out")); });
  EXPECT_THAT(short_list.what(), HasSubstr("labels.csv: 1 cells of type mono"));
}

TEST_F(DemoProducts, APhotographThatIsAnotherIsNamed) {
  write_bytes(path("photographs") / "brick.png", noise_around(90, 1, 64));
  const auto error =
      error_of([&] { write_textures(path("photographs"), path("out"), no_progress()); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(), HasSubstr("brick.png: not scikit-image's photograph"));
}

class Demo : public CommandTest {
 protected:
  ProgramResult demo(std::vector<std::string> more) const {
    std::vector<std::string> words = {"demo", "--photographs", "photographs", "--method",
                                      "toy_colour"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  void write_photographs() const {
    const auto textures = path("photographs") / "textures" / "skimage" / "data";
    write_bytes(textures / "brick.png", noise_around(120, 1, 512));
    write_bytes(textures / "gravel.png", noise_around(170, 2, 512));
    write_bytes(textures / "grass.png", noise_around(220, 3, 512));
    write_elpv(path("photographs") / "elpv");
  }
};

TEST_F(Demo, LearnsFourProductsJudgesThemAndOneThatItNeverSaw) {
  write_photographs();
  const auto result = demo({});
  EXPECT_EQ(result.status, 0) << result.err;
  for (const auto* line : {"solar_mono", "solar_poly", "brick", "gravel",
                           "grass, never taught: 48 of 48 called unknown", "report.html"}) {
    EXPECT_THAT(result.out, HasSubstr(line));
  }
  EXPECT_TRUE(fs::exists(path("runs/demo/run/report.html")));
  const auto results = parse_json(
      [&] {
        std::ifstream in(path("runs/demo/run/seed-0/results.json"));
        return std::string(std::istreambuf_iterator<char>(in), {});
      }(),
      "results.json");
  EXPECT_EQ(results["order"], (Json{"solar_mono", "solar_poly", "brick", "gravel"}));
  EXPECT_EQ(results["routing"]["accuracy"], 1.0);
}

TEST_F(Demo, ASecondRunStartsAnewAndTexturesAloneNeedNoSolarCells) {
  write_photographs();
  fs::remove_all(path("photographs") / "elpv");
  EXPECT_EQ(demo({"--data", "textures"}).status, 0);
  const auto result = demo({"--data", "textures", "--json"});
  EXPECT_EQ(result.status, 0) << result.err;
  const auto told = parse_json(result.out, "demo");
  EXPECT_EQ(told["never_taught"]["images"], 48);
  EXPECT_EQ(told["never_taught"]["unknown"], 48);
  EXPECT_TRUE(fs::exists(path(told["report"])));
  EXPECT_TRUE(fs::exists(path(told["model"].get<std::string>()) / "manifest.json"));
  EXPECT_TRUE(told["results"]["image_AUROC"].contains("brick"));
}

TEST_F(Demo, SaysHowToGetThePhotographs) {
  const auto result = demo({});
  EXPECT_EQ(result.status, kExitNotFound);
  EXPECT_THAT(result.err, HasSubstr("photographs: the demo's photographs are not there; run `make "
                                    "demo`, or `tools/demo_data.sh all`"));
  EXPECT_FALSE(fs::exists(path("runs")));
}

TEST_F(Demo, RefusesAMethodThatMustBeToldTheProduct) {
  write_photographs();
  const auto result = run({"demo", "--photographs", "photographs", "--method", "toy_linear"});
  EXPECT_THAT(result.err, HasSubstr("--method toy_linear: the demo tells no product beforehand"));
  EXPECT_FALSE(fs::exists(path("runs")));
}

}  // namespace
}  // namespace cadenza
