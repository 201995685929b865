# Files of the tree as constants of a C file: cmake -DOUT=FILE -DFILES=NAME=PATH,NAME=PATH... -P embed.cmake
# NAME becomes an array of bytes, NAME_n its length.
set(text "/* Made by cmake/embed.cmake. */\n#include \"view_files.h\"\n")
string(REPLACE "," ";" entries "${FILES}")
foreach(entry ${entries})
    string(REGEX MATCH "^([a-z_]+)=(.*)$" ignored "${entry}")
    set(name ${CMAKE_MATCH_1})
    file(READ "${CMAKE_MATCH_2}" hex HEX)
    string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
    string(APPEND text "const unsigned char ${name}[] = {\n${hex}\n};\nconst size_t ${name}_n = sizeof ${name};\n")
endforeach()
file(WRITE "${OUT}.new" "${text}")
file(RENAME "${OUT}.new" "${OUT}")
