/* Numbers on the command lines of attack and world. */
#ifndef TL_TESTS_NUMBER_H
#define TL_TESTS_NUMBER_H

#include <argp.h>
#include <stdint.h>

/* An option's value, decimal or 0x, from low to high; else ends the program by argp_error. */
uint64_t number_of(const struct argp_state *state, const char *option, const char *text, uint64_t low,
                   uint64_t high);

#endif
