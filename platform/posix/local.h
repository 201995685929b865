/* Sockets between processes of one machine, by a path. */
#ifndef TL_POSIX_LOCAL_H
#define TL_POSIX_LOCAL_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { TL_LOCAL_PATH_MAX = sizeof((struct sockaddr_un *)0)->sun_path - 1 };

/* False: the path is empty, or longer than TL_LOCAL_PATH_MAX bytes. */
bool tl_local_address(const char *path, struct sockaddr_un *address);
/* A socket that never blocks, and that no other program inherits. -1 with errno. */
int tl_local_open(int type);
/* Listens for one peer at a time; the file is the user's alone (0600) from its first moment on. False with errno. */
bool tl_local_listen(int fd, const struct sockaddr_un *address);

#endif
