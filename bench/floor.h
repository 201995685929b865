/* What no code can beat by much: the loops that the machine allows, with nothing useful in them. */
#ifndef TL_BENCH_FLOOR_H
#define TL_BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct floor_loop {
    const char *name;
    uint64_t (*run)(const uint8_t *bytes, size_t n); /* the result is there so that the loop is */
} floor_loop;

/* Carry-less multiplication alone, two for each vector of data, as a checksum folds: 64-byte vectors, or 16-byte ones if
 * `narrow`. run is NULL where the machine lacks it. */
floor_loop floor_multiply(bool narrow);
/* Each byte read once, by the widest loads there are. */
floor_loop floor_read(void);

#endif
