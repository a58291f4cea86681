# What every target of ours is compiled with; packaged headers are SYSTEM and stay out of it.
add_library(meshwrit_flags INTERFACE)

target_compile_definitions(meshwrit_flags INTERFACE _GNU_SOURCE)
target_compile_options(meshwrit_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align
  -Wwrite-strings -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla
  -Wundef -Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion -Wpointer-arith
  -fno-common -fno-strict-aliasing -fstack-protector-strong)
# A text that is cut to fit its buffer is meant to be.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(meshwrit_flags INTERFACE -Wno-format-truncation)
endif()
target_link_options(meshwrit_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)

if(MESHWRIT_WERROR)
  target_compile_options(meshwrit_flags INTERFACE -Werror)
endif()

if(MESHWRIT_SANITIZE)
  # -Wnull-dereference sees paths that the sanitizers' own checks invent.
  target_compile_options(meshwrit_flags INTERFACE
    -fsanitize=${MESHWRIT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    -Wno-null-dereference)
  target_link_options(meshwrit_flags INTERFACE -fsanitize=${MESHWRIT_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(meshwrit_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()

# Assertions hold our own contracts: they stay in every build.
foreach(type RELWITHDEBINFO RELEASE)
  string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${type} "${CMAKE_C_FLAGS_${type}}")
endforeach()
