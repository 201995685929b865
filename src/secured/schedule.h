/* One step of the key schedule, for the records' keys. Shared by the files of src/secured. */
#ifndef TL_SECURED_SCHEDULE_H
#define TL_SECURED_SCHEDULE_H

#include <trueline/session.h>

/* n bytes from a secret under a label of the schedule. out is zeroized on an error. */
tl_err tl__schedule_expand(const tl_schedule *s, const tl_secret *from, const char *label, tl_span context,
                           uint8_t *out, size_t n) TL_MUST_USE;

#endif
