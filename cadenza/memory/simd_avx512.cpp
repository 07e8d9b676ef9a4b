#include <immintrin.h>

#include "cadenza/memory/simd_kernels.h"

namespace cadenza {
namespace {

struct Vector16 {
  static constexpr int kLanes = 16;
  __m512 lanes;

  static Vector16 all(float value) { return {_mm512_set1_ps(value)}; }
  static Vector16 load(const float* from) { return {_mm512_loadu_ps(from)}; }
  void store(float* to) const { _mm512_storeu_ps(to, lanes); }
  static Vector16 subtract(Vector16 a, Vector16 b) { return {_mm512_sub_ps(a.lanes, b.lanes)}; }
  static Vector16 multiply_add(Vector16 a, Vector16 b, Vector16 sum) {
    return {_mm512_fmadd_ps(a.lanes, b.lanes, sum.lanes)};
  }
  /// Where value < least: least = value and of = with.
  static void keep_smaller(Vector16 value, Vector16 with, Vector16& least, Vector16& of) {
    const __mmask16 is_smaller = _mm512_cmp_ps_mask(value.lanes, least.lanes, _CMP_LT_OQ);
    least.lanes = _mm512_mask_mov_ps(least.lanes, is_smaller, value.lanes);
    of.lanes = _mm512_mask_mov_ps(of.lanes, is_smaller, with.lanes);
  }
};

}  // namespace

SimdKernels avx512_kernels() noexcept { return {&nearest<Vector16>, &lower_minima<Vector16>}; }

}  // namespace cadenza
