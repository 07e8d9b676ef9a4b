#include "cadenza/base/file.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const noexcept { return value_; }

 private:
  int value_;
};

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view action) {
  const int reason = errno;
  throw Error(reason == ENOENT || reason == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo,
              cat(path.string(), ": cannot ", action, ": ", std::strerror(reason)));
}

/// Opens a regular file for reading and tells its size.
int open_regular(const std::filesystem::path& path, std::uint64_t& size_bytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(path, "open");
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    throw Error(ErrorCode::kIo, cat(path.string(), ": not a regular file"));
  }
  size_bytes = static_cast<std::uint64_t>(status.st_size);
  return descriptor;
}

void write_all(int descriptor, std::span<const std::byte> bytes,
               const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const auto n_written = ::write(descriptor, bytes.data(), bytes.size());
    if (n_written < 0) {
      if (errno == EINTR) continue;
      fail(path, "write");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n_written));
  }
}

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& path, std::uint64_t limit_bytes) {
  std::uint64_t size_bytes = 0;
  const Descriptor file(open_regular(path, size_bytes));
  CADENZA_REQUIRE(size_bytes <= limit_bytes, ErrorCode::kLimitExceeded, path.string(), ": ",
                  size_bytes, " bytes, at most ", limit_bytes, " are read");
  std::vector<std::byte> bytes(size_bytes);
  std::size_t n_read = 0;
  while (n_read < bytes.size()) {
    const auto now = ::read(file.get(), bytes.data() + n_read, bytes.size() - n_read);
    if (now < 0) {
      if (errno == EINTR) continue;
      fail(path, "read");
    }
    if (now == 0) break;
    n_read += static_cast<std::size_t>(now);
  }
  bytes.resize(n_read);
  return bytes;
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  std::uint64_t size_bytes = 0;
  const Descriptor file(open_regular(path, size_bytes));
  if (size_bytes == 0) return;
  void* const start = ::mmap(nullptr, size_bytes, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (start == MAP_FAILED) fail(path, "map");
  bytes_ = {static_cast<const std::byte*>(start), size_bytes};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void sync_folder(const std::filesystem::path& folder) {
  const auto path = folder.empty() ? std::filesystem::path(".") : folder;
  const Descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0) fail(path, "open");
  if (::fsync(opened.get()) != 0) fail(path, "sync");
}

std::filesystem::path this_library() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&this_library), &info) == 0) return {};
  return std::filesystem::absolute(info.dli_fname);
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) fail(path, "create");
  write_all(file.get(), bytes, path);
}

void write_file_atomic(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  auto temporary = path;
  temporary += ".tmp";
  try {
    const Descriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (file.get() < 0) fail(path, "create");
    write_all(file.get(), bytes, path);
    if (::fsync(file.get()) != 0) fail(path, "sync");
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "replace");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(path.parent_path());
}

void write_file_atomic(const std::filesystem::path& path, std::string_view text) {
  write_file_atomic(path, std::as_bytes(std::span(text.data(), text.size())));
}

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& path) {
  while (true) {
    FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (lock.descriptor_ < 0) fail(path, "create the lock");
    if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) return std::nullopt;
    // The holder before us may have removed the file: then we hold a lock that nobody else sees.
    struct stat held{};
    struct stat named{};
    if (::fstat(lock.descriptor_, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
        held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
      return lock;
    }
  }
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}
FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace cadenza
