#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cadenza/base/file.h"
#include "cadenza/inspector/manifest.h"
#include "cadenza/tensor/state.h"

namespace cadenza {

/// The files of one model: manifest.json, state/<sha256>.safetensors, lock.
///
/// A change writes new pieces, then replaces the manifest in one step: a crash at any instant
/// leaves the old or the new generation, whole. Pieces that no manifest names are ignored by
/// readers and removed by the next writer. Readers take no lock and write nothing.
/// Threads  const members may run concurrently, also beside a writer in another process.
class ModelDirectory {
 public:
  explicit ModelDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const noexcept { return path_; }
  bool exists() const;

  /// Errors   kNotFound: no model there. kCorruptData, kUnsupported as parse_manifest().
  Manifest read_manifest() const;

  /// The pieces of one generation. Digest and length of each file are checked before it is parsed.
  /// Errors   kCorruptData naming the file: damaged, swapped, of another length. kNotFound.
  MethodState read_state(const Generation& generation) const;

  /// The current generation, also while a writer replaces it.
  std::pair<Manifest, MethodState> read() const;

  /// What `verify` says: every piece of every generation is read and checked.
  struct Check {
    std::int64_t n_generations = 0, n_pieces = 0, n_unreferenced = 0;
    std::uint64_t n_bytes = 0;
    std::vector<std::string> problems = {};  ///< empty: the directory is whole
  };
  Check check() const;

  /// Files below state/ that `manifest` does not name, sorted.
  std::vector<std::filesystem::path> unreferenced(const Manifest& manifest) const;

 private:
  friend class ModelWriter;
  std::filesystem::path piece_path(const PieceRef& piece) const;
  StatePiece read_piece(const PieceRef& piece) const;

  std::filesystem::path path_;
};

/// The one writer of a model directory, for as long as it lives.
///
/// Life     make -> manifest() -> put()* -> commit(). Without commit() nothing has changed: its
///          destructor removes what was put, and a directory that it created.
class ModelWriter {
 public:
  /// Creates the folder if absent, locks it, and removes what an interrupted writer left.
  /// Errors   kIo: another process writes it, or the folder cannot be written. kInvalidArgument: a
  ///          folder that is not empty and no model. kCorruptData: its manifest is damaged (then
  ///          nothing is removed).
  explicit ModelWriter(const ModelDirectory& directory);
  ~ModelWriter();
  ModelWriter(const ModelWriter&) = delete;
  ModelWriter& operator=(const ModelWriter&) = delete;

  /// As of now; absent in a new directory.
  const std::optional<Manifest>& manifest() const noexcept { return manifest_; }

  /// Stores a piece unless its content is there already.
  PieceRef put(const StatePiece& piece);

  /// Makes `manifest` the current one and removes the pieces that it no longer names.
  void commit(const Manifest& manifest);

 private:
  void sweep(const Manifest& manifest) const;

  const ModelDirectory& directory_;
  bool created_folder_ = false;
  std::optional<FileLock> lock_;
  std::optional<Manifest> manifest_;
};

}  // namespace cadenza
