# One static library per folder of src/ and one test binary per folder of tests/unit.
include_guard()
include(GoogleTest)

add_library(limner_flags INTERFACE)
target_compile_features(limner_flags INTERFACE cxx_std_20)
target_include_directories(limner_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(limner_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough
  -fstack-protector-strong -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12's false alarms about std::string; and what ccache needs beside a precompiled header
  target_compile_options(limner_flags INTERFACE
    -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -fpch-preprocess)
else()
  # libstdc++'s stable_sort uses what it deprecates
  target_compile_options(limner_flags INTERFACE -Wno-deprecated-declarations)
  if(LIMNER_PRECOMPILED_HEADERS)
    # ccache keeps what was compiled with a precompiled header only if that holds no time of day
    target_compile_options(limner_flags INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
endif()
if(LIMNER_WARNINGS_AS_ERRORS)
  target_compile_options(limner_flags INTERFACE -Werror)
endif()
if(LIMNER_FUZZERS)
  target_compile_options(limner_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(LIMNER_SANITIZE)
  # What undefined behaviour is found ends the program, so that no test passes beside a report.
  set(sanitize -fsanitize=${LIMNER_SANITIZE} -fno-sanitize-recover=all)
  target_compile_options(limner_flags INTERFACE ${sanitize} -fno-omit-frame-pointer)
  target_link_options(limner_flags INTERFACE ${sanitize})
  # Every program carries its options and suppressions, however it is started.
  find_program(LIMNER_SYMBOLIZER NAMES llvm-symbolizer-19 llvm-symbolizer)
  set(is_program $<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>)
  target_sources(limner_flags INTERFACE $<${is_program}:${CMAKE_CURRENT_LIST_DIR}/sanitizers.cpp>)
  target_compile_definitions(limner_flags INTERFACE
    LIMNER_SANITIZED LIMNER_SYMBOLIZER="${LIMNER_SYMBOLIZER}")
  if(LIMNER_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio's fences are beyond the sanitizer; gcc says so in every file that includes Asio.
    target_compile_options(limner_flags INTERFACE -Wno-tsan)
  endif()
else()
  target_compile_definitions(limner_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()
target_compile_definitions(limner_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(limner_flags INTERFACE -Wl,-z,relro,-z,now)

# A precompiled header serves only the flags it was made with: one for libraries, tests have their own.
if(LIMNER_PRECOMPILED_HEADERS)
  add_library(limner_headers OBJECT ${CMAKE_CURRENT_LIST_DIR}/precompiled.cpp)
  target_link_libraries(limner_headers PRIVATE limner_flags fmt::fmt)
  target_precompile_headers(limner_headers PRIVATE
    <algorithm> <filesystem> <functional> <map> <memory> <optional> <span> <string> <string_view>
    <utility> <variant> <vector> <fmt/format.h>)
endif()

# limner_library(http LINKS base Boost::headers): every .cpp in the folder of the calling list file.
# Plain names are our own folders; a folder without sources becomes an interface library.
function(limner_library name)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(kind PUBLIC)
  if(sources)
    add_library(limner_${name} STATIC ${sources})
    if(LIMNER_PRECOMPILED_HEADERS)
      target_precompile_headers(limner_${name} REUSE_FROM limner_headers)
    endif()
  else()
    set(kind INTERFACE)
    add_library(limner_${name} INTERFACE)
  endif()
  target_link_libraries(limner_${name} ${kind} limner_flags)
  foreach(link IN LISTS ARG_LINKS)
    if(link MATCHES "::|^-|^lib")
      target_link_libraries(limner_${name} ${kind} ${link})
    else()
      target_link_libraries(limner_${name} ${kind} limner_${link})
    endif()
  endforeach()
endfunction()

# limner_test(unit_http LABEL unit LINKS http): every *_test.cpp in the folder of the calling list file.
function(limner_test name)
  cmake_parse_arguments(ARG "" "LABEL" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE limner_flags limner_test_support GTest::gmock_main)
  foreach(link IN LISTS ARG_LINKS)
    if(link MATCHES "::|^-|^lib")
      target_link_libraries(test_${name} PRIVATE ${link})
    else()
      target_link_libraries(test_${name} PRIVATE limner_${link})
    endif()
  endforeach()
  target_precompile_headers(test_${name} REUSE_FROM limner_test_headers)
  gtest_discover_tests(test_${name} DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 300)
endfunction()
