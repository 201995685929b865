/* The demo's contact sheet: a picture for each attack, with what became of the frame at each level of repair. */
#ifndef TL_TOOLS_DEMO_SHEET_H
#define TL_TOOLS_DEMO_SHEET_H

#include "demo_attacks.h"

/* Writes `path`. Each result's folder holds the controller's revoked_*.png and frame_*.png; a frame that is not there was
 * never handed on. The pictures are width x height. TL_EXIT_INTERNAL. */
tl_exit demo_sheet_write(const char *path, const demo_result *results, unsigned width, unsigned height,
                         tl_fault *fault) __attribute__((warn_unused_result));

#endif
