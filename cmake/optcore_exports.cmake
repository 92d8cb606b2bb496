# A shared library that exports optcore's C interface and nothing else: templates of the standard
# library have default visibility wherever they are compiled.
function(optcore_export_only_ours target)
  if(APPLE)
    target_link_options(${target} PRIVATE "LINKER:-exported_symbol,_optcore_*")
  elseif(UNIX)
    set(map ${PROJECT_SOURCE_DIR}/cmake/optcore.map)
    target_link_options(${target} PRIVATE "LINKER:--version-script=${map}")
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${map})
  endif()
endfunction()
