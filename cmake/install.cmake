# What `cmake --install` puts where, and the package files by which other projects find it:
#   CMake       find_package(moccasin [COMPONENTS io])   targets moccasin::moccasin, moccasin::moccasin_static,
#                                                        moccasin::moccasin_io, moccasin::moccasin_io_static
#   pkg-config  moccasin, moccasin-io
# Both can be moved together with the tree they are installed into. The program installs itself (cli/CMakeLists.txt).
include(CMakePackageConfigHelpers)

set(MOCCASIN_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/moccasin)
set(MOCCASIN_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS moccasin moccasin_static EXPORT moccasinTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT moccasinTargets NAMESPACE moccasin:: DESTINATION ${MOCCASIN_PACKAGE_DIR})
install(FILES include/moccasin/moccasin.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/moccasin)
if(TARGET moccasin_io)
  install(TARGETS moccasin_io moccasin_io_static EXPORT moccasinIoTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT moccasinIoTargets NAMESPACE moccasin:: DESTINATION ${MOCCASIN_PACKAGE_DIR})
  install(FILES include/moccasin/moccasin_io.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/moccasin)
endif()

configure_package_config_file(cmake/moccasinConfig.cmake.in moccasinConfig.cmake
  INSTALL_DESTINATION ${MOCCASIN_PACKAGE_DIR} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(moccasinConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/moccasinConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/moccasinConfigVersion.cmake
  DESTINATION ${MOCCASIN_PACKAGE_DIR})

# Directories in a .pc file: from the file's own place when they are relative, as they are otherwise.
file(RELATIVE_PATH to_prefix /prefix/${MOCCASIN_PC_DIR} /prefix)
string(REGEX REPLACE "/$" "" to_prefix "${to_prefix}")
foreach(dir LIB INCLUDE)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}DIR}")
    set(MOCCASIN_PC_${dir} "${CMAKE_INSTALL_${dir}DIR}")
  else()
    set(MOCCASIN_PC_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}DIR}")
  endif()
endforeach()
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(MOCCASIN_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
else()
  set(MOCCASIN_PC_PREFIX "\${pcfiledir}/${to_prefix}")
endif()
set(packages moccasin)
if(TARGET moccasin_io)
  list(APPEND packages moccasin-io)
endif()
foreach(package ${packages})
  configure_file(cmake/${package}.pc.in ${package}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${package}.pc DESTINATION ${MOCCASIN_PC_DIR})
endforeach()
