# meshwrit_embed(NAME FILE): a library with `const unsigned char NAME[]` and `const size_t NAME_size`.
function(meshwrit_embed name file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  set(generated ${PROJECT_BINARY_DIR}/embed/${name}.c)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  file(CONFIGURE OUTPUT ${generated} CONTENT
"#include <stddef.h>
extern const unsigned char ${name}[];
extern const size_t ${name}_size;
const unsigned char ${name}[] = {
${bytes}};
const size_t ${name}_size = sizeof(${name});
")
  add_library(${name} STATIC ${generated})
endfunction()
