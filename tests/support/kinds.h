/* Messages of the tests alone, through the library's own passes: every kind of row occurs, whatever the
 * layout has. */
#ifndef TL_TESTS_KINDS_H
#define TL_TESTS_KINDS_H

#include <trueline/messages.h>

#include <trueline/def/struct.h>
#include "kinds_line.def"
#include "kinds_walk.def"
#include <trueline/def/none.h>

#include <trueline/def/rows.h>
#include "kinds_line.def"
#include "kinds_walk.def"
#include <trueline/def/none.h>

#include <trueline/def/names.h>
#include "kinds_line.def"
#include "kinds_walk.def"
#include <trueline/def/none.h>

static const tl_message kinds[] = {
#define MSG(name, code) { #name, tl_rows_##name, names_##name, sizeof(tl_##name) },
#define END(name)
#include <trueline/def/quiet.h>
#include "kinds_line.def"
#include "kinds_walk.def"
#include <trueline/def/none.h>
    { NULL, NULL, NULL, 0 }
};

#endif
