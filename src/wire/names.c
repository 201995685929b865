/* The messages as data, with the names of their fields. A file of its own, so that a program that does not
 * print messages does not carry the names. */
#include <trueline/messages.h>

#include <trueline/def/names.h>
#include <trueline/def/all.h>
#include <trueline/def/none.h>

const tl_message tl_messages[] = {
#define MSG(name, code) { #name, tl_rows_##name, names_##name, sizeof(tl_##name) },
#define END(name)
#include <trueline/def/quiet.h>
#include <trueline/def/all.h>
#include <trueline/def/none.h>
    { NULL, NULL, NULL, 0 }
};
