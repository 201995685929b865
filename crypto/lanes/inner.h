/* What the files of this backend share, apart from the kernels. */
#ifndef TL_LANES_INNER_H
#define TL_LANES_INNER_H

#include "level.h"

/* ---- levels ---- */

/* The level behind a name, NULL if it is not here. */
const tl__level *tl__level_of(tl_lanes_level id);
/* The fastest that is here; TL_LANES_BEST if there is none. */
tl_lanes_level tl__level_best(void);

#endif
