// Compiled for any x86-64 processor and run before every other constructor of the program: all the
// rest is compiled for x86-64-v3 and would end an older processor with "Illegal instruction".
#include "cadenza/cli/cpu_check.h"

#include <string.h>
#include <unistd.h>

namespace cadenza {

const char* missing_cpu_features() noexcept {
  __builtin_cpu_init();
  const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  const bool has_fma = __builtin_cpu_supports("fma") != 0;
  if (has_avx2 && has_fma) return "";
  if (has_avx2) return "FMA";
  return has_fma ? "AVX2" : "AVX2 and FMA";
}

}  // namespace cadenza

namespace {

void say(const char* text) {
  if (::write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

constexpr int kUnsupported = 13;  // exit_status.h, which may not be included here
constexpr int kBeforeAllOthers = 101;

__attribute__((constructor(kBeforeAllOthers))) void require_cpu() {
  const char* const missing = cadenza::missing_cpu_features();
  if (*missing == '\0') return;
  say("cadenza: this processor lacks ");
  say(missing);
  say("; Cadenza needs an x86-64 processor of 2013 or newer (Haswell, Excavator, Zen)\n");
  ::_exit(kUnsupported);
}

}  // namespace
