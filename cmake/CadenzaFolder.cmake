# cadenza_folder(<name> SOURCES ... [HEADERS ...] [TESTS ...] [TEST_SOURCES ...] [LIBRARIES ...]
#                [TORCH])
# One folder under cadenza/ as an object library. All of them together are libcadenza.so; those
# without TORCH are also libcadenza_light.a, which tests and fuzz targets link in milliseconds.
# TESTS become one binary <name>_test (slashes become underscores).
set_property(GLOBAL PROPERTY CADENZA_FOLDERS "")
set_property(GLOBAL PROPERTY CADENZA_LIGHT_FOLDERS "")

if(CADENZA_TORCH)
  # ATen is 6 s to parse: parsed once, reused by every file that sees torch.
  add_library(cadenza_torch_pch OBJECT ${PROJECT_SOURCE_DIR}/cmake/torch_pch.cpp)
  target_link_libraries(cadenza_torch_pch PRIVATE cadenza_compiler LibTorch::LibTorch)
  target_precompile_headers(cadenza_torch_pch PRIVATE <ATen/ATen.h> <string> <vector> <map>)
endif()

function(cadenza_use_torch target)
  target_link_libraries(${target} PRIVATE LibTorch::LibTorch)
  target_precompile_headers(${target} REUSE_FROM cadenza_torch_pch)
endfunction()

function(cadenza_folder name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "SOURCES;HEADERS;TESTS;TEST_SOURCES;LIBRARIES")
  string(REPLACE / _ id ${name})
  list(REMOVE_DUPLICATES arg_LIBRARIES)
  if(arg_TORCH AND NOT CADENZA_TORCH)
    return()
  endif()
  add_library(cadenza_${id} OBJECT ${arg_SOURCES} ${arg_HEADERS})
  target_link_libraries(cadenza_${id} PRIVATE cadenza_compiler ${arg_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY CADENZA_FOLDERS cadenza_${id})
  if(arg_TORCH)
    cadenza_use_torch(cadenza_${id})
    set_property(GLOBAL APPEND PROPERTY CADENZA_LIBRARIES ${arg_LIBRARIES})
  else()
    set_property(GLOBAL APPEND PROPERTY CADENZA_LIGHT_FOLDERS cadenza_${id})
    set_property(GLOBAL APPEND PROPERTY CADENZA_LIGHT_LIBRARIES ${arg_LIBRARIES})
  endif()
  if(NOT CADENZA_TESTS OR NOT arg_TESTS)
    return()
  endif()
  if(arg_TORCH)
    cadenza_torch_test(${id}_test LABEL unit SOURCES ${arg_TESTS} ${arg_TEST_SOURCES})
  else()
    add_executable(${id}_test ${arg_TESTS} ${arg_TEST_SOURCES})
    target_link_libraries(${id}_test PRIVATE cadenza_compiler cadenza_light GTest::gmock_main)
    gtest_discover_tests(${id}_test TEST_PREFIX "${id}." DISCOVERY_MODE PRE_TEST
      PROPERTIES LABELS unit)
  endif()
endfunction()

# cadenza_torch_test(<target> LABEL unit|golden|integration|slow SOURCES ... [LIBRARIES ...] [NO_ENTRY])
# A test binary over libcadenza.so. One ctest entry a binary: loading LibTorch costs half a second.
function(cadenza_torch_test target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_ENTRY" "LABEL" "SOURCES;LIBRARIES")
  add_executable(${target} ${arg_SOURCES})
  # -fPIC like the libraries, not -fPIE: the precompiled header serves one kind of code only.
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_link_libraries(${target} PRIVATE cadenza_compiler cadenza ${arg_LIBRARIES}
    GTest::gmock_main)
  cadenza_use_torch(${target})
  if(NOT arg_NO_ENTRY)
    add_test(NAME ${target} COMMAND ${target})
    set_tests_properties(${target} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 600
      ENVIRONMENT OMP_WAIT_POLICY=passive)  # tests run side by side: who waits shall not spin
  endif()
endfunction()

# cadenza_golden(<system> VECTORS A B ... SOURCES ... [SLOW A ...])
# One binary golden_<system>; every vector is its own ctest entry golden.<system>.<vector>, run as
# `golden_<system> --gtest_filter=<vector>.*` (a dash or dot of the vector is an
# underscore there, and a leading digit gets a V).
function(cadenza_golden system)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "VECTORS;SOURCES;SLOW;LIBRARIES")
  cadenza_torch_test(golden_${system} LABEL golden SOURCES ${arg_SOURCES} LIBRARIES ${arg_LIBRARIES}
    NO_ENTRY)
  foreach(vector IN LISTS arg_VECTORS)
    string(REGEX REPLACE "[-.]" "_" suite ${vector})
    string(REGEX REPLACE "^([0-9])" "V\\1" suite ${suite})
    set(label golden)
    if(vector IN_LIST arg_SLOW)
      set(label slow)
    endif()
    add_test(NAME golden.${system}.${vector}
      COMMAND golden_${system} --gtest_filter=${suite}.* --gtest_brief=1)
    # A filter that matches nothing exits 0: the summary line proves that something ran.
    set_tests_properties(golden.${system}.${vector} PROPERTIES LABELS ${label} TIMEOUT 600
      ENVIRONMENT OMP_WAIT_POLICY=passive
      PASS_REGULAR_EXPRESSION "\\[  PASSED  \\] [1-9]" FAIL_REGULAR_EXPRESSION "FAILED")
  endforeach()
endfunction()

# cadenza_plugin_list(<kind> <namespace-qualified registry> <header> <output variable> <names...>)
# Writes <kind>_list.cpp, which calls register_<name>(registry) for each name, sorted.
function(cadenza_plugin_list kind registry header output)
  set(names ${ARGN})
  list(SORT names)
  set(declares "")
  set(calls "")
  foreach(name IN LISTS names)
    string(APPEND declares "void register_${name}(${registry}& registry);\n")
    string(APPEND calls "  register_${name}(registry);\n")
  endforeach()
  set(file ${CMAKE_CURRENT_BINARY_DIR}/${kind}_list.cpp)
  file(CONFIGURE OUTPUT ${file} CONTENT
"// Written by CMake from the folders beside it. Do not edit.
#include \"@header@\"

namespace cadenza {
@declares@
@registry@ builtin_@kind@() {
  @registry@ registry;
@calls@  return registry;
}
}  // namespace cadenza
" @ONLY)
  set(${output} ${file} PARENT_SCOPE)
endfunction()
