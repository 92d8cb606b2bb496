# The only place that names ISA flags: one object library per level, all from kernels.cpp.
#
#   optcore_add_isa_objects(<target> <variable>)
#
# compiles the levels of the target CPU, puts their objects into <variable>, and defines
# OPTCORE_HAS_X86_LEVELS for <target>, which looks for them.

function(optcore_add_isa_objects target variable)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(levels baseline x86_64_v3 x86_64_v4)
    target_compile_definitions(${target} PRIVATE OPTCORE_HAS_X86_LEVELS)
  else()
    set(levels baseline) # AArch64: NEON is part of it
  endif()

  if(MSVC)
    set(flags_x86_64_v3 /arch:AVX2)
    set(flags_x86_64_v4 /arch:AVX512)
  else()
    # errno and traps are not used here, and would keep loops from vectorizing.
    set(loop_flags $<$<NOT:$<CONFIG:Debug>>:-O3> -fno-math-errno -fno-trapping-math
      -fno-exceptions -fno-lto)
    set(flags_x86_64_v3 -march=x86-64-v3)
    set(flags_x86_64_v4 -march=x86-64-v4 -mprefer-vector-width=512)
  endif()

  foreach(level IN LISTS levels)
    string(REPLACE "_" "-" name "${level}")
    set(objects optcore_${level})
    add_library(${objects} OBJECT ${PROJECT_SOURCE_DIR}/cpp/kernels/kernels.cpp)
    target_compile_features(${objects} PRIVATE cxx_std_17)
    target_compile_definitions(${objects} PRIVATE OPTCORE_ISA=${level} OPTCORE_ISA_NAME="${name}")
    optcore_options(${objects}) # first: what follows refines it
    target_compile_options(${objects} PRIVATE ${loop_flags} ${flags_${level}})
    # Link-time optimization would pool what the levels must keep apart.
    set_target_properties(${objects} PROPERTIES
      POSITION_INDEPENDENT_CODE ON INTERPROCEDURAL_OPTIMIZATION OFF CXX_VISIBILITY_PRESET hidden)
    list(APPEND all_objects $<TARGET_OBJECTS:${objects}>)
  endforeach()
  set(${variable} ${all_objects} PARENT_SCOPE)
  set(${variable}_levels ${levels} PARENT_SCOPE)
endfunction()

# Says how many loops that makes, and in how many bytes, when a library of these objects is linked.
function(optcore_report_loops target objects)
  add_custom_command(TARGET ${target} POST_BUILD VERBATIM COMMAND ${CMAKE_COMMAND}
    "-DRULES=${PROJECT_SOURCE_DIR}/cpp/rules/rules.def" "-DLEVELS=${kernels_levels}"
    "-DOBJECTS=$<JOIN:${objects},;>" -P ${PROJECT_SOURCE_DIR}/cmake/report_loops.cmake)
endfunction()
