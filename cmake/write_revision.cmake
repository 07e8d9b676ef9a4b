# cmake -DSOURCE=<repository> -DVERSION=<of the project> -DOUTPUT=<header> -P write_revision.cmake
# Names the commit that is built, with a + where the tree differs from it; nothing outside a
# repository. The file is touched only when it changes.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE} rev-parse --short HEAD
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(revision)
  execute_process(COMMAND git -C ${SOURCE} diff --quiet HEAD RESULT_VARIABLE differs ERROR_QUIET)
  if(differs)
    string(APPEND revision "+")
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT
"#pragma once
#define CADENZA_VERSION \"@VERSION@\"
#define CADENZA_GIT_REVISION \"@revision@\"
" @ONLY)
