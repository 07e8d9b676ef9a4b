// Files that list images: csv, JSON lines, InCTRL's JSON. They stand beside pictures of the names
// that the corpus uses, so that reading gets past the first line.
#include <filesystem>
#include <string>

#include "fuzz/refusal.h"
#include <unistd.h>

#include "cadenza/base/file.h"
#include "cadenza/dataset/csv_table.h"
#include "cadenza/dataset/layout.h"

namespace cadenza {

void register_csv(LayoutRegistry& registry);
void register_inctrl(LayoutRegistry& registry);
void register_jsonl(LayoutRegistry& registry);

namespace {

namespace fs = std::filesystem;

/// A folder with the pictures, gone when the program ends.
class Scene {
 public:
  Scene()
      : folder_(fs::temp_directory_path() /
                ("cadenza_dataset_fuzz_" + std::to_string(::getpid()))) {
    for (const char* name : {"nut/train/good/0.png", "nut/test/crack/1.png", "a.png"}) {
      fs::create_directories((folder_ / name).parent_path());
      write_file(folder_ / name, {});
    }
    register_csv(layouts_);
    register_inctrl(layouts_);
    register_jsonl(layouts_);
  }
  ~Scene() { fs::remove_all(folder_); }

  void read(std::span<const std::byte> bytes, const char* name) const {
    const auto list = folder_ / name;
    write_file(list, bytes);
    for (const auto& layout : layouts_.names()) {
      expect_read_or_refused([&] {
        const auto& entry = layouts_.find(layout);
        if (entry.matches(list)) entry.read(list);
      });
    }
    fs::remove(list);
  }

 private:
  fs::path folder_;
  LayoutRegistry layouts_;
};

}  // namespace
}  // namespace cadenza

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cadenza;
  static const Scene scene;
  const auto bytes = as_input(data, size);
  scene.read(bytes, "list.csv");
  scene.read(bytes, "list.json");
  return 0;
}
