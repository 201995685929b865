/* The process that serves the page: HTTP on this machine alone, from a board that it may only read. */
#ifndef TL_TOOLS_VIEW_SERVER_H
#define TL_TOOLS_VIEW_SERVER_H

#include "view_board.h"

typedef struct view_server_parts {
    view_board *board;
    int listener;        /* a socket that listens */
    int life;            /* when this one is closed at the other end, it ends */
    const char *attacks; /* as view_options */
} view_server_parts;

/* In the child: closes what else is open, serves, and gives its exit code. */
int view_server_run(const view_server_parts *parts);

#endif
