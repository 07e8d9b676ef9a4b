#include "cadenza/dataset/image_task_data.h"

#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "cadenza/base/digest.h"
#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/dataset/fit.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/tensor/picture.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

namespace {

enum class Kind { kImage, kPixels, kRegions };

/// Tensors by image and kind, up to a number of bytes. What is in stays in: training goes round and
/// round, and then throwing out the oldest would throw out exactly what is needed next.
class BoundedCache {
 public:
  explicit BoundedCache(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  at::Tensor find(std::int64_t index, Kind kind) const {
    const std::scoped_lock lock(mutex_);
    const auto found = tensors_.find({index, kind});
    return found == tensors_.end() ? at::Tensor() : found->second;
  }

  void offer(std::int64_t index, Kind kind, const at::Tensor& tensor) {
    const std::scoped_lock lock(mutex_);
    const auto n_bytes = static_cast<std::uint64_t>(tensor.nbytes());
    if (n_bytes > limit_bytes_ - n_bytes_) return;
    if (tensors_.emplace(std::pair(index, kind), tensor).second) n_bytes_ += n_bytes;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t limit_bytes_, n_bytes_ = 0;
  std::map<std::pair<std::int64_t, Kind>, at::Tensor> tensors_;
};

class ImageTaskData : public TaskData {
 public:
  ImageTaskData(std::vector<TaskRef> tasks, std::vector<Sample> samples, const InputSpec& input,
                TrainingOptions options)
      : tasks_(std::move(tasks)),
        samples_(std::move(samples)),
        input_(input),
        options_(std::move(options)),
        digests_(samples_.size()),
        cache_(options_.cache_bytes) {
    fitted_window(input_, input_.height_px, input_.width_px);  // refuses what cannot be prepared
    CADENZA_REQUIRE(!input_.needs_structure || options_.regions, ErrorCode::kInvalidArgument,
                    "open_training: InputSpec asks for region maps; TrainingOptions::regions "
                    "must make them");
    std::map<std::string, std::int64_t> index_of;
    for (const auto& task : tasks_) {
      const bool is_new = index_of.emplace(task.name, std::ssize(index_of)).second;
      CADENZA_REQUIRE(is_new, ErrorCode::kInvalidArgument, "open_training: task '", task.name,
                      "' is given twice");
    }
    CADENZA_REQUIRE(!tasks_.empty(), ErrorCode::kInvalidArgument, "open_training: no task");
    for (const auto& sample : samples_) {
      const auto found = index_of.find(sample.task);
      CADENZA_REQUIRE(found != index_of.end(), ErrorCode::kInvalidArgument, sample.file.string(),
                      ": of task '", sample.task, "', which this step does not learn");
      CADENZA_REQUIRE(options_.is_labelled || !sample.is_defect, ErrorCode::kInvalidArgument,
                      sample.file.string(), ": a defect ('", sample.defect_type,
                      "') among the images to learn; leave it out");
      task_index_.push_back(found->second);
    }
  }

  std::span<const TaskRef> tasks() const noexcept override { return tasks_; }
  std::int64_t size() const noexcept override { return std::ssize(samples_); }

  at::Tensor images(std::int64_t first, std::int64_t last) const override {
    return gather(first, last, {3, input_.height_px, input_.width_px}, at::kFloat,
                  [&](std::int64_t index) { return image(index); });
  }

  at::Tensor pixels(std::int64_t first, std::int64_t last) const override {
    return gather(first, last, {input_.height_px, input_.width_px, 3}, at::kByte,
                  [&](std::int64_t index) { return pixels_of(index); });
  }

  at::Tensor task(std::int64_t first, std::int64_t last) const override {
    return labels(first, last, [&](std::size_t index) { return task_index_[index]; });
  }

  std::optional<at::Tensor> defect(std::int64_t first, std::int64_t last) const override {
    if (!options_.is_labelled) return std::nullopt;
    return labels(first, last, [&](std::size_t index) { return samples_[index].is_defect; });
  }

  std::optional<at::Tensor> structure(std::int64_t first, std::int64_t last) const override {
    if (!input_.needs_structure) return std::nullopt;
    return gather(first, last, {input_.height_px, input_.width_px}, at::kInt,
                  [&](std::int64_t index) { return regions(index); });
  }

  std::string_view digest(std::int64_t index) const override {
    require_range(index, index + 1);
    if (known_digest(index).empty()) read_bytes(index);
    return known_digest(index);
  }

 private:
  void require_range(std::int64_t first, std::int64_t last) const {
    CADENZA_REQUIRE(0 <= first && first <= last && last <= size(), ErrorCode::kInvalidArgument,
                    "training images [", first, ",", last, "): there are ", size());
  }

  /// One row an image, several images at a time. Bytes are copied: the threads do not share the
  /// caller's inference mode.
  template <class Make>
  at::Tensor gather(std::int64_t first, std::int64_t last, std::vector<std::int64_t> sizes,
                    at::ScalarType type, const Make& make) const {
    require_range(first, last);
    sizes.insert(sizes.begin(), last - first);
    at::Tensor rows = at::empty(sizes, at::TensorOptions(type));
    auto* const to = static_cast<std::byte*>(rows.mutable_data_ptr());
    at::parallel_for(first, last, 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto index = begin; index < end; ++index) {
        const at::Tensor row = make(index).contiguous();
        std::memcpy(to + static_cast<std::size_t>(index - first) * row.nbytes(),
                    row.const_data_ptr(), row.nbytes());
      }
    });
    return rows;
  }

  template <class Label>
  at::Tensor labels(std::int64_t first, std::int64_t last, const Label& label) const {
    require_range(first, last);
    at::Tensor values = at::empty({last - first}, at::kLong);
    auto* to = values.mutable_data_ptr<std::int64_t>();
    for (auto index = first; index < last; ++index) *to++ = label(static_cast<std::size_t>(index));
    return values;
  }

  template <class Make>
  at::Tensor cached(std::int64_t index, Kind kind, const Make& make) const {
    at::Tensor tensor = cache_.find(index, kind);
    if (!tensor.defined()) {
      tensor = make();
      cache_.offer(index, kind, tensor);
    }
    return tensor;
  }

  /// Of 8-bit resamplers the pixels are kept, a quarter of the bytes.
  at::Tensor image(std::int64_t index) const {
    if (input_.resampler != Resampler::kTriangleFloat) {
      return normalised(pixels_of(index).unsqueeze(0), input_)[0];
    }
    return cached(index, Kind::kImage, [&] { return prepare(decode(index), input_); });
  }

  at::Tensor pixels_of(std::int64_t index) const {
    return cached(index, Kind::kPixels, [&] { return prepare_pixels(decode(index), input_); });
  }

  at::Tensor regions(std::int64_t index) const {
    return cached(index, Kind::kRegions, [&] {
      const auto& sample = samples_[static_cast<std::size_t>(index)];
      const at::Tensor ids = options_.regions(sample, image_of(pixels_of(index)));
      require_shape(ids, {input_.height_px, input_.width_px},
                    cat(sample.file.string(), ": region map [H,W]"));
      CADENZA_REQUIRE(ids.scalar_type() == at::kInt, ErrorCode::kInvalidArgument,
                      sample.file.string(), ": region map [H,W]: expected int32, got ",
                      at::toString(ids.scalar_type()));
      return ids;
    });
  }

  Image decode(std::int64_t index) const {
    return decode_image(read_bytes(index), name_of(index), decode_options(input_));
  }

  std::string name_of(std::int64_t index) const {
    return samples_[static_cast<std::size_t>(index)].file.string();
  }

  std::vector<std::byte> read_bytes(std::int64_t index) const {
    auto bytes = read_file(samples_[static_cast<std::size_t>(index)].file,
                           decode_options(input_).limit_bytes);
    const auto digest = sha256_hex(bytes);
    const std::scoped_lock lock(digest_mutex_);
    auto& known = digests_[static_cast<std::size_t>(index)];
    if (known.empty()) known = digest;  // once: views of it stay good
    CADENZA_REQUIRE(known == digest, ErrorCode::kCorruptData, name_of(index),
                    ": the file changed while it was being learned; train again");
    return bytes;
  }

  std::string_view known_digest(std::int64_t index) const {
    const std::scoped_lock lock(digest_mutex_);
    return digests_[static_cast<std::size_t>(index)];
  }

  std::vector<TaskRef> tasks_;
  std::vector<Sample> samples_;
  std::vector<std::int64_t> task_index_;
  InputSpec input_;
  TrainingOptions options_;
  mutable std::mutex digest_mutex_;
  mutable std::vector<std::string> digests_;
  mutable BoundedCache cache_;
};

}  // namespace

std::unique_ptr<TaskData> open_training(std::vector<TaskRef> tasks, std::vector<Sample> samples,
                                        const InputSpec& input, TrainingOptions options) {
  return std::make_unique<ImageTaskData>(std::move(tasks), std::move(samples), input,
                                         std::move(options));
}

}  // namespace cadenza
