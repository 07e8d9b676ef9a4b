#include "cadenza/continual/row_memory.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/reservoir.h"

namespace cadenza {

namespace {

constexpr std::array<const char*, 5> kKeys = {"images", "pixels", "labels", "task", "answers"};

Batch rows_of(const Batch& batch, const at::Tensor& which) {
  const auto pick = [&](const at::Tensor& of) {
    return of.defined() ? of.index_select(0, which) : of;
  };
  return {.images = pick(batch.images),
          .pixels = pick(batch.pixels),
          .labels = pick(batch.labels),
          .task = pick(batch.task),
          .n_fresh = 0};
}

}  // namespace

std::int64_t RowMemory::size() const noexcept {
  return rows_[kImages].defined() ? rows_[kImages].size(0) : 0;
}

RowMemory::Fields RowMemory::fields_of(const Batch& batch, const at::Tensor& answers) {
  return {batch.images, batch.pixels, batch.labels, batch.task, answers};
}

void RowMemory::put(std::int64_t slot, const Fields& from, std::int64_t row) {
  for (std::size_t field = 0; field < kFields; ++field) {
    if (!from[field].defined()) continue;
    const auto added = from[field].slice(0, row, row + 1);
    auto& rows = rows_[field];
    if (!rows.defined()) {
      rows = added.clone();
    } else if (slot == rows.size(0)) {
      rows = at::cat({rows, added});
    } else {
      rows.select(0, slot).copy_(added[0]);
    }
  }
}

void RowMemory::offer(const Batch& batch, const Answer& answer, Rng& rng) {
  const c10::NoGradGuard no_grad;
  std::vector<std::int64_t> kept, slots;
  for (std::int64_t row = 0; row < batch.images.size(0); ++row) {
    const auto slot = reservoir_slot(n_seen_++, capacity_, [&](std::int64_t n) {
      return static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(n)));
    });
    if (!slot) continue;
    kept.push_back(row);
    slots.push_back(*slot);
  }
  if (kept.empty()) return;
  const auto rows = rows_of(batch, at::tensor(kept, at::kLong));
  const auto from = fields_of(rows, answer ? answer(rows).detach() : at::Tensor());
  for (std::size_t place = 0; place < slots.size(); ++place) {
    put(slots[place], from, static_cast<std::int64_t>(place));
  }
}

void RowMemory::shrink(std::int64_t n) {
  for (auto& rows : rows_) {
    if (rows.defined()) rows = rows.slice(0, 0, n).clone();
  }
}

void RowMemory::append_rows(const Batch& batch, const at::Tensor& answers) {
  CADENZA_REQUIRE(size() + batch.images.size(0) <= capacity_, ErrorCode::kInternal, owner_, ": ",
                  size(), " rows and ", batch.images.size(0), " more, at most ", capacity_);
  const auto from = fields_of(batch, answers);
  for (std::size_t field = 0; field < kFields; ++field) {
    if (!from[field].defined()) continue;
    auto& rows = rows_[field];
    rows = rows.defined() ? at::cat({rows, from[field]}) : from[field].clone();
  }
}

RowMemory::Draw RowMemory::draw(std::int64_t n, Rng& rng) const {
  const auto which = at::tensor(rng.sample_sorted(size(), n), at::kLong);
  const Batch all{.images = rows_[kImages],
                  .pixels = rows_[kPixels],
                  .labels = rows_[kLabels],
                  .task = rows_[kTask]};
  const auto& answers = rows_[kAnswers];
  return {rows_of(all, which), answers.defined() ? answers.index_select(0, which) : answers};
}

StatePiece RowMemory::save() const {
  StatePiece state;
  state.texts["seen"] = std::to_string(n_seen_);
  for (std::size_t field = 0; field < kFields; ++field) {
    if (rows_[field].defined()) state.tensors[kKeys[field]] = rows_[field].contiguous();
  }
  return state;
}

void RowMemory::load(const StatePiece& state) {
  PieceReader in(state, cat("strategy '", owner_, "'"));
  n_seen_ = std::stoll(in.text("seen"));
  for (std::size_t field = 0; field < kFields; ++field) {
    rows_[field] = in.has_tensor(kKeys[field]) ? in.tensor(kKeys[field]).clone() : at::Tensor();
  }
  in.finish();
  for (std::size_t field = 0; field < kFields; ++field) {
    CADENZA_REQUIRE(
        !rows_[field].defined() || (rows_[field].dim() > 0 && rows_[field].size(0) == size()),
        ErrorCode::kCorruptData, "strategy '", owner_, "': '", kKeys[field], "': expected ", size(),
        " rows, found ", rows_[field].sizes());
  }
}

std::function<at::Tensor(const Batch&)> answers_of(const TrainableView& view, bool prefers_logits,
                                                   const std::string& owner) {
  CADENZA_REQUIRE(view.logits || view.embeddings, ErrorCode::kUnsupported, "strategy '", owner,
                  "': this method shows neither class scores nor embeddings; use replay or ewc");
  if (view.logits && (prefers_logits || !view.embeddings)) return view.logits;
  return view.embeddings;
}

Batch fresh_rows(const Batch& batch, const std::string& labels) {
  const auto fresh = slice(batch, 0, batch.n_fresh);
  if (labels != "normal" || !fresh.labels.defined()) return fresh;
  return rows_of(fresh, (fresh.labels == 0).nonzero().view({-1}));
}

}  // namespace cadenza
