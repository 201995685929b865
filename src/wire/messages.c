/* The rows of every message, and the functions with the messages' own types that walk them; and that the sizes which the
 * layout states beside its rows are theirs. */
#include <trueline/messages.h>

#include "wire/most.h"

_Static_assert(TL__MOST(data_token) == TL_DATA_TOKEN_SIZE,
               "layout: TL_DATA_TOKEN_SIZE is not what the rows give");
_Static_assert(TL__MOST(announcement) == TL_ANNOUNCEMENT_SIZE,
               "layout: TL_ANNOUNCEMENT_SIZE is not what the rows give");
_Static_assert(TL__MOST(sep_header) == TL_SEP_HEADER_SIZE,
               "layout: TL_SEP_HEADER_SIZE is not what the rows give");
_Static_assert(TL__MOST(sep_footer) == TL_SEP_FOOTER_MAX,
               "layout: TL_SEP_FOOTER_MAX is not what the rows give");
_Static_assert(TL__MOST(fsed_packet) == TL_FSED_HEADER_SIZE,
               "layout: TL_FSED_HEADER_SIZE is not what the rows give");
_Static_assert(TL__MOST(hello) == TL_HELLO_SIZE, "layout: TL_HELLO_SIZE is not what the rows give");

#include <trueline/def/rows.h>
#include <trueline/def/all.h>
#include <trueline/def/none.h>
