# limner_embed(limner_tokenizers clip_merges.txt clip_merges): the file's bytes in the program, as
# `extern "C" const char limner_clip_merges_begin[], limner_clip_merges_end[]`.
include_guard()

function(limner_embed target file symbol)
  set(path ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${symbol}_embedded.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT
[[asm(R"(
  .section .rodata
  .balign 16
  .global limner_@symbol@_begin
limner_@symbol@_begin:
  .incbin "@path@"
  .global limner_@symbol@_end
limner_@symbol@_end:
  .byte 0
  .previous
)");
]])
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${path})
  target_sources(${target} PRIVATE ${source})
endfunction()
