/* What each flow test starts from: one backend for the group, and the loop. */
#ifndef TL_TESTS_GROUP_H
#define TL_TESTS_GROUP_H

#include "faulty.h"
#include "loop.h"
#include "nonces.h"
#include "one_backend.h"
#include "testing.h"

#include <stdlib.h>
#include <string.h>

#endif
