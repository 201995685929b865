/* What a configuration protects, to be looked at: the test scene sent and received, each pixel marked by what became of
 * it. */
#ifndef TL_TOOLS_PROTECTION_PICTURE_H
#define TL_TOOLS_PROTECTION_PICTURE_H

#include "sheet.h"
#include "stream_file.h"

/* What somebody on the wire does to the frame. */
typedef enum protection_wire {
    PROTECTION_LISTENED = 0, /* nothing: encrypted pixels look as they do to him */
    PROTECTION_PAINTED       /* he paints a bar over the road, and puts every checksum right */
} protection_wire;

/* A picture of width * height of the file, RGB, and what stands below it. */
typedef struct protection_picture {
    uint8_t *rgb;       /* the caller's to free */
    char title[96];     /* the variant of the pixels, with its pattern */
    char line[96];      /* suite, tag mode and size */
    char verdict[96];   /* what the receiver says, or how much is protected */
    tl_sheet_mark mark; /* what the receiver says of it; or whether all of it is under a tag */
    uint32_t bad_lines; /* lines of pixels that were refused */
    uint32_t fooled;    /* pixels that were changed and went through */
    double share;       /* of the pixels, the part that is under a tag */
} protection_picture;

/* Marks: what is outside of the tag is grey and hatched; lines that were refused are orange, with bars at both ends;
 * pixels that were changed and went through are magenta. The file's secret is not used: any key serves.
 * TL_EXIT_INTERNAL. */
tl_exit protection_picture_draw(protection_picture *picture, const stream_file *file, protection_wire wire,
                                tl_fault *fault) __attribute__((warn_unused_result));

#endif
