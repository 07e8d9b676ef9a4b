# A tree that can be moved: every library finds its neighbours through $ORIGIN. Debian's own
# libraries (libjpeg, OpenCV core and imgproc, ...) stay Debian's.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set_target_properties(cadenza PROPERTIES INSTALL_RPATH "$ORIGIN")
install(TARGETS cadenza EXPORT cadenzaTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION include)
if(TARGET cadenza_program)
  set_target_properties(cadenza_program PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  install(TARGETS cadenza_program RUNTIME DESTINATION bin)
endif()
install(EXPORT cadenzaTargets NAMESPACE cadenza:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/cadenza)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/cadenza DESTINATION include FILES_MATCHING PATTERN "*.h")
install(FILES LICENSE README.md CHANGELOG.md THIRD_PARTY_NOTICES.md DESTINATION share/doc/cadenza)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples DESTINATION share/cadenza)

write_basic_package_version_file(${PROJECT_BINARY_DIR}/cadenzaConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/cadenzaConfig.cmake CONTENT
"# Its headers use nlohmann/json; LibTorch is needed only by those below cadenza/{tensor,method,...}.
include(CMakeFindDependencyMacro)
find_dependency(nlohmann_json)
include(\"\${CMAKE_CURRENT_LIST_DIR}/cadenzaTargets.cmake\")
set_property(TARGET cadenza::cadenza APPEND PROPERTY
  INTERFACE_LINK_LIBRARIES nlohmann_json::nlohmann_json)
" @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cadenzaConfig.cmake
  ${PROJECT_BINARY_DIR}/cadenzaConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/cadenza)

# The engines: only what runs a network on a CPU (or, with a CUDA build of LibTorch, on a GPU).
get_filename_component(torch_libraries ${LibTorch_c10_LIBRARY} DIRECTORY)
set(openvino_libraries ${CADENZA_DEPS}/openvino/openvino/libs)
file(GLOB engine_libraries
  ${torch_libraries}/libtorch_cpu.so ${torch_libraries}/libc10.so ${torch_libraries}/libgomp.so.1
  ${torch_libraries}/libtorch_cuda*.so ${torch_libraries}/libc10_cuda.so
  ${torch_libraries}/libcupti*.so.* ${torch_libraries}/libcudart*.so.*
  ${openvino_libraries}/libopenvino.so.* ${openvino_libraries}/libopenvino_intel_cpu_plugin.so
  ${openvino_libraries}/libtbb.so.12)
install(FILES ${engine_libraries} DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(wheel torch openvino)  # with a library go its licences
  file(GLOB licenses ${CADENZA_DEPS}/${wheel}/*.dist-info/licenses)
  install(DIRECTORY ${licenses}/ DESTINATION share/doc/cadenza/licenses/${wheel})
endforeach()
if(TARGET cadenza_program)  # which writes its man page and completions when it is built
  install(DIRECTORY ${PROJECT_BINARY_DIR}/share/ DESTINATION share)
endif()
install(DIRECTORY ${CADENZA_DEPS}/weights DESTINATION share/cadenza OPTIONAL
  FILES_MATCHING PATTERN "*.safetensors")
