/* The table of subcommands: main.c walks it, one cmd_*.c holds each command. Manual pages are made from it too. */
#ifndef TL_TOOLS_COMMAND_H
#define TL_TOOLS_COMMAND_H

/* A command gets its own argv (argv[0] is "trueline NAME", for argp) and gives an exit code. */
typedef int command_function(int argc, char **argv);

/* name, function, summary for `trueline --help` */
#define COMMANDS                                                                                             \
    COMMAND("demo", cmd_demo, "a clean stream, then every attack on it, with pictures")                      \
    COMMAND("pki", cmd_pki, "make, revoke and show keys and certificates")                                   \
    COMMAND("stream", cmd_stream, "make and show stream files: what to protect, and a secret")               \
    COMMAND("sensor", cmd_sensor, "play pictures, video or the test scene as a protected stream")            \
    COMMAND("controller", cmd_controller, "receive a stream, verify it, write pictures or video")            \
    COMMAND("attest", cmd_attest, "who is there, and does it run what it should? Evidence as JSON")          \
    COMMAND("dump", cmd_dump, "show a recorded SPDM exchange, compute it again with its secrets")            \
    COMMAND("verify", cmd_verify, "verify a recorded stream again, whole or in segments. Evidence as JSON")  \
    COMMAND("annotate", cmd_annotate, "a recording for Wireshark: records opened, verdicts beside packets")  \
    COMMAND("export", cmd_export, "frames of a recording as PNG, y4m or raw lines")                          \
    COMMAND("spdm", cmd_spdm, "SPDM requester or responder for DMTF's emulators and validator")              \
    COMMAND("bench", cmd_bench, "measure what protecting and verifying cost here")

/* code, what it means: the same for every command */
#define EXIT_CODES                                                                                           \
    EXIT_CODE(0, "everything verified")                                                                      \
    EXIT_CODE(1, "a frame or a message was refused")                                                         \
    EXIT_CODE(2, "wrong usage, or a wrong file")                                                             \
    EXIT_CODE(3, "the peer is not authenticated")                                                            \
    EXIT_CODE(4, "link or input failed")                                                                     \
    EXIT_CODE(5, "out of resources, output failed, or internal error")

#define FIRST_STEPS                                                                                          \
    "  trueline stream new cam.json\n"                                                                       \
    "  trueline sensor --input scene --stream cam.json --once\n"                                             \
    "and in a second terminal, for the sensor stays:\n"                                                      \
    "  trueline controller --stream cam.json --out frames --frames 30\n"

#define COMMAND(name, function, summary) command_function function;
COMMANDS
#undef COMMAND

typedef struct command_row {
    const char *name; /* NULL behind the last */
    command_function *run;
    const char *summary;
} command_row;

extern const command_row command_table[];

#endif
