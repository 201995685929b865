/* The rows of every message, and the functions with the messages' own types that walk them. */
#include <trueline/messages.h>

#include <trueline/def/rows.h>
#include <trueline/def/all.h>
#include <trueline/def/none.h>
