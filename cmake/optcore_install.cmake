# What find_package() and pkg-config need of an installed optcore: both libraries, the headers,
# optcoreConfig.cmake and optcore.pc. The same in a wheel, whose root is the Python package.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

if(SKBUILD) # the same folders on every system
  set(CMAKE_INSTALL_LIBDIR lib)
  set(CMAKE_INSTALL_BINDIR bin)
  set(CMAKE_INSTALL_INCLUDEDIR include)
endif()
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/optcore)

# The OpenMP runtime is named, not located: the next machine has it elsewhere.
set(optcore_runtime_libraries "")
set(optcore_runtime_folders "")
if(OpenMP_CXX_FOUND)
  set(optcore_runtime_libraries ${OpenMP_CXX_LIB_NAMES})
  list(TRANSFORM optcore_runtime_libraries REPLACE "^lib" "")
  list(REMOVE_ITEM optcore_runtime_libraries pthread) # comes with Threads::Threads
  foreach(library IN LISTS OpenMP_CXX_LIBRARIES)
    get_filename_component(folder "${library}" DIRECTORY)
    list(APPEND optcore_runtime_folders "${folder}")
  endforeach()
  list(REMOVE_DUPLICATES optcore_runtime_folders)
endif()
if(SKBUILD)
  set(optcore_runtime_folders "")
endif()

install(TARGETS optcore optcore_shared EXPORT optcore
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT native
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT native NAMELINK_COMPONENT native
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT native
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY cpp/include/optcore DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT native)
install(EXPORT optcore NAMESPACE optcore:: FILE optcoreTargets.cmake
  DESTINATION ${config_dir} COMPONENT native)

configure_package_config_file(cmake/optcoreConfig.cmake.in optcoreConfig.cmake
  INSTALL_DESTINATION ${config_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(optcoreConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/optcoreConfig.cmake ${PROJECT_BINARY_DIR}/optcoreConfigVersion.cmake
  DESTINATION ${config_dir} COMPONENT native)

# Paths in it count from where it lies, so that an installed tree, or a wheel, can be moved.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(pc_libdir ${CMAKE_INSTALL_FULL_LIBDIR})
  set(pc_includedir ${CMAKE_INSTALL_FULL_INCLUDEDIR})
else()
  file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" up "${up}")
  set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
set(pc_prefix "\${pcfiledir}/${up}")
set(private ${optcore_runtime_libraries} pthread ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
list(FILTER private INCLUDE REGEX "^(stdc[+][+]|c[+][+]|m|pthread|i?omp5?|gomp)$")
list(REMOVE_DUPLICATES private)
list(TRANSFORM private PREPEND "-l")
list(JOIN private " " pc_private)
configure_file(cmake/optcore.pc.in optcore.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/optcore.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT native)
