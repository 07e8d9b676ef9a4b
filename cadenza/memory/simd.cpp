#include "cadenza/memory/simd.h"

namespace cadenza {

const SimdKernels& simd_kernels() noexcept {
  static const SimdKernels kernels =
      __builtin_cpu_supports("avx512f") != 0 ? avx512_kernels() : avx2_kernels();
  return kernels;
}

}  // namespace cadenza
