#include <immintrin.h>

#include "cadenza/memory/simd_kernels.h"

namespace cadenza {
namespace {

struct Vector8 {
  static constexpr int kLanes = 8;
  __m256 lanes;

  static Vector8 all(float value) { return {_mm256_set1_ps(value)}; }
  static Vector8 load(const float* from) { return {_mm256_loadu_ps(from)}; }
  void store(float* to) const { _mm256_storeu_ps(to, lanes); }
  static Vector8 subtract(Vector8 a, Vector8 b) { return {_mm256_sub_ps(a.lanes, b.lanes)}; }
  static Vector8 multiply_add(Vector8 a, Vector8 b, Vector8 sum) {
    return {_mm256_fmadd_ps(a.lanes, b.lanes, sum.lanes)};
  }
  /// Where value < least: least = value and of = with.
  static void keep_smaller(Vector8 value, Vector8 with, Vector8& least, Vector8& of) {
    const __m256 is_smaller = _mm256_cmp_ps(value.lanes, least.lanes, _CMP_LT_OQ);
    least.lanes = _mm256_blendv_ps(least.lanes, value.lanes, is_smaller);
    of.lanes = _mm256_blendv_ps(of.lanes, with.lanes, is_smaller);
  }
};

}  // namespace

SimdKernels avx2_kernels() noexcept { return {&nearest<Vector8>, &lower_minima<Vector8>}; }

}  // namespace cadenza
