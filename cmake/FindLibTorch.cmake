# LibTorch::LibTorch from an unpacked wheel (tools/setup.sh), an unpacked LibTorch or CMAKE_PREFIX_PATH.
# Not Torch's own package: that of a CUDA build demands a CUDA toolkit, which running needs not.
find_path(LibTorch_INCLUDE_DIR ATen/core/Tensor.h
  HINTS ${CADENZA_DEPS}/torch/torch PATH_SUFFIXES include)
get_filename_component(LibTorch_ROOT_DIR "${LibTorch_INCLUDE_DIR}" DIRECTORY)
foreach(name torch_cpu c10)
  find_library(LibTorch_${name}_LIBRARY ${name} HINTS ${LibTorch_ROOT_DIR}/lib NO_DEFAULT_PATH)
endforeach()
find_library(LibTorch_torch_cuda_LIBRARY torch_cuda HINTS ${LibTorch_ROOT_DIR}/lib NO_DEFAULT_PATH)
find_file(LibTorch_gomp_LIBRARY NAMES libgomp.so.1 HINTS ${LibTorch_ROOT_DIR}/lib NO_DEFAULT_PATH)

set(version_file ${LibTorch_ROOT_DIR}/version.py)
if(EXISTS ${version_file})
  file(STRINGS ${version_file} version_line REGEX "^__version__")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" LibTorch_VERSION "${version_line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_INCLUDE_DIR LibTorch_torch_cpu_LIBRARY LibTorch_c10_LIBRARY
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "run tools/setup.sh, or set CADENZA_DEPS or CMAKE_PREFIX_PATH")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE
    ${LibTorch_INCLUDE_DIR} ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include)
  target_link_libraries(LibTorch::LibTorch INTERFACE
    ${LibTorch_torch_cpu_LIBRARY} ${LibTorch_c10_LIBRARY})
  if(LibTorch_torch_cuda_LIBRARY)
    # Nothing names a CUDA symbol: without this the linker drops the library and with it the device.
    target_link_libraries(LibTorch::LibTorch INTERFACE
      -Wl,--push-state,--no-as-needed ${LibTorch_torch_cuda_LIBRARY} -Wl,--pop-state)
  endif()
  # clang in C++20 mode with libstdc++ 12 rejects ATen unless this header comes first.
  target_compile_options(LibTorch::LibTorch INTERFACE
    "$<$<CXX_COMPILER_ID:Clang>:SHELL:-include ATen/core/ivalue.h>")
endif()
