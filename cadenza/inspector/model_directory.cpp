#include "cadenza/inspector/model_directory.h"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "cadenza/base/digest.h"
#include "cadenza/base/error.h"
#include "cadenza/inspector/state_file.h"

namespace cadenza {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMaxManifestBytes = 64U << 20U;
constexpr int kReadAttempts = 5;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Every piece that any generation names, each once.
std::map<std::string, PieceRef> referenced_pieces(const Manifest& manifest) {
  std::map<std::string, PieceRef> pieces;
  for (const auto& generation : manifest.history) {
    pieces.emplace(generation.shared.sha256, generation.shared);
    for (const auto& task : generation.tasks) pieces.emplace(task.state.sha256, task.state);
  }
  return pieces;
}

/// What an interrupted first training may have left; anything else is somebody's folder.
bool holds_only_remains(const fs::path& folder) {
  static const std::set<std::string> kOurs = {"lock", "state", "manifest.json.tmp"};
  return std::ranges::all_of(fs::directory_iterator(folder), [](const fs::directory_entry& entry) {
    return kOurs.contains(entry.path().filename().string());
  });
}

/// True if this call made it. Errors: kIo.
bool create_folder(const fs::path& folder) {
  std::error_code failure;
  const bool is_new = fs::create_directories(folder, failure);
  CADENZA_REQUIRE(!failure, ErrorCode::kIo, folder.string(),
                  ": cannot create the folder: ", failure.message());
  return is_new;
}

}  // namespace

bool ModelDirectory::exists() const {
  std::error_code ignored;
  return fs::exists(path_ / "manifest.json", ignored);
}

Manifest ModelDirectory::read_manifest() const {
  const fs::path file = path_ / "manifest.json";
  try {
    return parse_manifest(text_of(read_file(file, kMaxManifestBytes)), file.string());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    throw Error(ErrorCode::kNotFound,
                cat(path_.string(),
                    ": no model there (manifest.json is missing); `cadenza train "
                    "--model ",
                    path_.string(), "` makes one"));
  }
}

fs::path ModelDirectory::piece_path(const PieceRef& piece) const {
  return path_ / "state" / (piece.sha256 + ".safetensors");
}

StatePiece ModelDirectory::read_piece(const PieceRef& piece) const {
  const fs::path file = piece_path(piece);
  const MappedFile mapped(file);
  CADENZA_REQUIRE(mapped.bytes().size() == piece.n_bytes, ErrorCode::kCorruptData, file.string(),
                  ": ", mapped.bytes().size(), " bytes, the manifest says ", piece.n_bytes,
                  "; restore the model directory from a copy or `cadenza task undo`");
  const std::string digest = sha256_hex(mapped.bytes());
  CADENZA_REQUIRE(
      digest == piece.sha256, ErrorCode::kCorruptData, file.string(), ": its content has digest ",
      digest.substr(0, 12),
      "...: the file was damaged or swapped; restore the model directory from a copy or "
      "`cadenza task undo`");
  return read_state_file(mapped.bytes(), file.string());
}

MethodState ModelDirectory::read_state(const Generation& generation) const {
  MethodState state;
  state.shared = read_piece(generation.shared);
  for (const auto& task : generation.tasks) state.tasks[task.id] = read_piece(task.state);
  return state;
}

std::pair<Manifest, MethodState> ModelDirectory::read() const {
  for (int attempt = 1;; ++attempt) {
    Manifest manifest = read_manifest();
    try {
      MethodState state = read_state(manifest.current());
      return {std::move(manifest), std::move(state)};
    } catch (const Error& error) {
      // A writer may have replaced the generation and removed its pieces since the first line.
      const bool was_replaced = error.code() == ErrorCode::kNotFound &&
                                read_manifest().next_generation != manifest.next_generation;
      if (!was_replaced || attempt == kReadAttempts) throw;
    }
  }
}

std::vector<fs::path> ModelDirectory::unreferenced(const Manifest& manifest) const {
  const auto pieces = referenced_pieces(manifest);
  std::vector<fs::path> files;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(path_ / "state", absent)) {
    const bool is_named =
        entry.path().extension() == ".safetensors" && pieces.contains(entry.path().stem().string());
    if (!is_named) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

ModelDirectory::Check ModelDirectory::check() const {
  const Manifest manifest = read_manifest();
  Check result{.n_generations = static_cast<std::int64_t>(manifest.history.size())};
  for (const auto& [digest, piece] : referenced_pieces(manifest)) {
    ++result.n_pieces;
    result.n_bytes += piece.n_bytes;
    try {
      read_piece(piece);
    } catch (const Error& error) {
      result.problems.emplace_back(error.what());
    }
  }
  result.n_unreferenced = static_cast<std::int64_t>(unreferenced(manifest).size());
  return result;
}

ModelWriter::ModelWriter(const ModelDirectory& directory) : directory_(directory) {
  const fs::path& folder = directory_.path();
  CADENZA_REQUIRE(!fs::exists(folder) || directory_.exists() ||
                      (fs::is_directory(folder) && holds_only_remains(folder)),
                  ErrorCode::kInvalidArgument, folder.string(),
                  ": is no model directory and not empty; name a new folder");
  created_folder_ = create_folder(folder);
  lock_ = FileLock::try_acquire(folder / "lock");
  CADENZA_REQUIRE(lock_.has_value(), ErrorCode::kIo, folder.string(),
                  ": another process is changing this model; wait until it has finished");
  if (directory_.exists()) {
    manifest_ = directory_.read_manifest();
    sweep(*manifest_);
  }
  create_folder(folder / "state");
}

ModelWriter::~ModelWriter() {
  if (!lock_) return;
  try {
    if (manifest_) {
      sweep(*manifest_);
    } else if (created_folder_) {
      fs::remove_all(directory_.path());
    }
  } catch (const std::exception&) {
    // What stays behind is ignored by readers and removed by the next writer.
  }
}

PieceRef ModelWriter::put(const StatePiece& piece) {
  const auto bytes = write_state_file(piece);
  const PieceRef ref{sha256_hex(bytes), bytes.size()};
  const fs::path file = directory_.piece_path(ref);
  const bool is_there = fs::exists(file) && sha256_hex(read_file(file)) == ref.sha256;
  if (!is_there) write_file_atomic(file, bytes);
  return ref;
}

void ModelWriter::commit(const Manifest& manifest) {
  sync_folder(directory_.path());  // the state folder itself may be new
  write_file_atomic(directory_.path() / "manifest.json", write_manifest(manifest));
  manifest_ = manifest;
  sweep(manifest);
}

void ModelWriter::sweep(const Manifest& manifest) const {
  std::error_code ignored;
  fs::remove(directory_.path() / "manifest.json.tmp", ignored);
  for (const auto& file : directory_.unreferenced(manifest)) fs::remove(file, ignored);
}

}  // namespace cadenza
