/* Every file of messages. Not for itself: <trueline/messages.h> includes it behind each of the passes (struct.h, rows.h and
 * their like) that say what its rows become. Once by each pass, so without a guard. */
#include <trueline/layout/line.def>
#include <trueline/layout/sep.def>
#include <trueline/layout/ssm.def>
#include <trueline/layout/picture.def>
#include <trueline/def/spdm.def>
