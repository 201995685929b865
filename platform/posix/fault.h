/* What went wrong: one line of text for people, and the program's exit code. */
#ifndef TL_POSIX_FAULT_H
#define TL_POSIX_FAULT_H

/* Exit codes of every command; the texts stand in `trueline --help`. Functions give one as their result. */
typedef enum tl_exit {
    TL_EXIT_OK = 0,
    TL_EXIT_REFUSED = 1,  /* a frame or a message was refused */
    TL_EXIT_USAGE = 2,    /* a wrong argument or a wrong file */
    TL_EXIT_PEER = 3,     /* the peer is not the one that was asked for */
    TL_EXIT_LINK = 4,     /* link or input failed */
    TL_EXIT_INTERNAL = 5, /* out of resources, output failed, internal */
    TL_EXIT_STOPPED = 6   /* a signal asked the program to end; never leaves a command */
} tl_exit;

/* `text` reads "what: where: why". */
typedef struct tl_fault {
    tl_exit code;
    char text[480];
} tl_fault;

/* Writes the fault and gives its code. */
tl_exit tl_fault_set(tl_fault *fault, tl_exit code, const char *format, ...)
    __attribute__((format(printf, 3, 4), warn_unused_result));
/* The same with the text of errno behind it. */
tl_exit tl_fault_errno(tl_fault *fault, tl_exit code, const char *format, ...)
    __attribute__((format(printf, 3, 4), warn_unused_result));

#endif
