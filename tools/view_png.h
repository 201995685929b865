/* A frame as browsers show it: smaller, and clear where no line has verified. */
#ifndef TL_TOOLS_VIEW_PNG_H
#define TL_TOOLS_VIEW_PNG_H

#include "view_board.h"

/* Encodes packed lines as the board holds them: *png is the caller's to free. False without memory. */
bool view_png_make(const view_facts *facts, const view_lines *lines, const uint8_t *pixels, uint8_t **png,
                   size_t *n);

#endif
