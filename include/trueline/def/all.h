/* Every file of messages. Included once by each pass, so without a guard. */
#include <trueline/layout/line.def>
#include <trueline/layout/sep.def>
#include <trueline/layout/ssm.def>
#include <trueline/layout/picture.def>
#include <trueline/def/spdm.def>
