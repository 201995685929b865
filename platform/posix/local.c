/* A socket's file is made with the rights that the socket has: they are set first, so that it is never there with others. */
#include "local.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool tl_local_address(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (path[0] == '\0' || strlen(path) > TL_LOCAL_PATH_MAX)
        return false;
    (void)snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
    return true;
}

int tl_local_open(int type)
{
    return socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

bool tl_local_listen(int fd, const struct sockaddr_un *address)
{
    return fchmod(fd, 0600) == 0 && bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
           listen(fd, 1) == 0;
}
