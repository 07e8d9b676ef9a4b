#include "cadenza/checkpoint/read_checkpoint.h"

#include <array>
#include <cstring>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/checkpoint/npz.h"
#include "cadenza/checkpoint/safetensors.h"
#include "cadenza/checkpoint/torch_pth.h"
#include "cadenza/checkpoint/zip.h"

namespace cadenza {

namespace {

bool is_safetensors(std::span<const std::byte> bytes) {
  constexpr std::size_t kHeader = 8;
  return bytes.size() > kHeader && bytes[kHeader] == std::byte{'{'};
}

/// Both .npz and .pth are zip archives; only the first holds nothing but arrays.
Checkpoint read_archive(std::span<const std::byte> bytes, const std::string& name,
                        std::shared_ptr<const void> owner) {
  const ZipArchive archive(bytes, name, owner);
  const bool is_npz =
      !archive.entries().empty() && archive.entries().begin()->first.ends_with(".npy");
  if (!is_npz) return read_torch_pth(bytes, name, std::move(owner));
  Checkpoint checkpoint;
  for (auto& [key, array] : read_npz(bytes, name, std::move(owner))) {
    if (auto* tensor = std::get_if<StoredTensor>(&array)) checkpoint.tensors.emplace(key, *tensor);
  }
  return checkpoint;
}

}  // namespace

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  const auto file = std::make_shared<MappedFile>(path);
  const auto bytes = file->bytes();
  const auto name = path.string();
  if (is_zip(bytes)) return read_archive(bytes, name, file);
  if (is_legacy_torch(bytes)) return read_torch_pth(bytes, name, file);
  if (is_safetensors(bytes)) return read_safetensors(bytes, name, file);
  throw Error(ErrorCode::kUnsupported,
              cat(name,
                  ": no checkpoint that is read here; expected .safetensors, .npz, or a .pth "
                  "or .pt of PyTorch 0.4 or later"));
}

Checkpoint unwrap_state_dict(Checkpoint checkpoint) {
  constexpr std::array<std::string_view, 4> kWrappers{"state_dict.", "model_state_dict.", "model.",
                                                      "module."};
  for (const auto wrapper : kWrappers) {
    std::map<std::string, StoredTensor> inner;
    for (const auto& [name, tensor] : checkpoint.tensors) {
      if (name.starts_with(wrapper)) inner.emplace(name.substr(wrapper.size()), tensor);
    }
    if (!inner.empty()) checkpoint.tensors = std::move(inner);
  }
  return checkpoint;
}

}  // namespace cadenza
