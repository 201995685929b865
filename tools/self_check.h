/* The built-in self-test (trueline/self_test.h) as programs use it: before a stream starts, and when somebody asks. */
#ifndef TL_TOOLS_SELF_CHECK_H
#define TL_TOOLS_SELF_CHECK_H

#include "fault.h"

#include <trueline/self_test.h>

/* Tests the protection of streams with this configuration. TL_EXIT_INTERNAL: a stage was not noticed, which is named.
 * counts: NULL, or what was injected and noticed. */
tl_exit self_check(const tl_stream_config *config, const tl_crypto *crypto, tl_self_test_counts *counts,
                   tl_fault *fault) __attribute__((warn_unused_result));

#endif
