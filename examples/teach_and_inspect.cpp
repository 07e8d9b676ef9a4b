// teach_and_inspect MODEL IMAGE FOLDER...   each folder: photographs of good parts of one product
#include <filesystem>
#include <iostream>

#include <cadenza/base/error.h>
#include <cadenza/inspector/inspector.h>

int main(int argc, char** argv) try {
  auto line = cadenza::Inspector::open_or_create(argv[1]);
  for (int folder = 3; folder < argc; ++folder) {
    const std::filesystem::path photos = argv[folder];
    line.train({.task = photos.filename(), .normal = {photos}});
  }
  const cadenza::Verdict verdict = line.predict(argv[2]);
  std::cout << to_string(verdict.label) << ", nearest product: " << verdict.task.value_or("none");
  if (verdict.score) std::cout << ", score " << *verdict.score;
  for (const auto& region : verdict.regions) {
    std::cout << "\n  at " << region.x << "," << region.y << " px, " << region.area << " px large";
  }
  std::cout << '\n';
} catch (const cadenza::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
