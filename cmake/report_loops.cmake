# Prints how many loops the rules make at each ISA level, and how many bytes the objects take.
# Run after the build with RULES (rules.def), LEVELS and OBJECTS.

set(loops 0)
file(STRINGS "${RULES}" rows REGEX "^OPTCORE_([A-Z]+_)?RULE\\(")
foreach(row IN LISTS rows)
  if(row MATCHES "([0-9]+)\\)") # 2^options variants, with and without coupled decay, four formats
    math(EXPR loops "${loops} + (8 << ${CMAKE_MATCH_1})")
  elseif(row MATCHES "^OPTCORE_ROWWISE") # sums and steps, with and without decay, in two dtypes
    math(EXPR loops "${loops} + 8")
  else() # factored: FactoredLoops has five, in two dtypes
    math(EXPR loops "${loops} + 10")
  endif()
endforeach()

set(bytes 0)
foreach(object IN LISTS OBJECTS)
  file(SIZE "${object}" size)
  math(EXPR bytes "${bytes} + ${size}")
endforeach()

list(JOIN LEVELS ", " levels)
message(STATUS "optcore: ${loops} rule loops at each of ${levels}; ${bytes} bytes of objects")
