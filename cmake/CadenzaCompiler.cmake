# What every target is compiled with: warnings, sanitizers, the version of the build.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
add_library(cadenza_compiler INTERFACE)
# AVX2 is the floor (`doctor` and the program's start say so on an older processor); a contracted
# multiply-add would make results depend on what the compiler saw fit to fuse.
target_compile_options(cadenza_compiler INTERFACE -fPIC -march=x86-64-v3 -ffp-contract=off)
target_compile_options(cadenza_compiler INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  # Designated initialisers leave the rest at its default; that is what they are for.
  -Wno-missing-field-initializers
  # GCC 12 at -O2 warns of "text" + std::to_string(n) (GCC PR 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<BOOL:${CADENZA_WERROR}>:-Werror>)
target_include_directories(cadenza_compiler INTERFACE ${PROJECT_SOURCE_DIR})

if(CADENZA_SANITIZE STREQUAL address)
  target_compile_options(cadenza_compiler INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(cadenza_compiler INTERFACE -fsanitize=address,undefined)
elseif(CADENZA_SANITIZE STREQUAL thread)
  target_compile_options(cadenza_compiler INTERFACE -fsanitize=thread)
  target_link_options(cadenza_compiler INTERFACE -fsanitize=thread)
endif()
if(CADENZA_FUZZ)
  target_compile_options(cadenza_compiler INTERFACE -fsanitize=fuzzer-no-link)
endif()
