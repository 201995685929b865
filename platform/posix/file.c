/* Files of the programs. A file is written under a temporary name beside its own, synced, and renamed: a full disk or
 * a crash leaves the old file or none. "Refuse" uses a hard link in place of the rename, which fails if the name is
 * taken, so that two programs cannot both believe that they made the file. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static tl_exit check_kind(int fd, const char *path, tl_file_kind kind, tl_fault *fault)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return tl_fault_errno(fault, TL_EXIT_USAGE, "file: %s", path);
    if (!S_ISREG(st.st_mode))
        return tl_fault_set(fault, TL_EXIT_USAGE, "file: %s: not a regular file", path);
    if (kind == TL_FILE_SECRET && (st.st_mode & 077) != 0)
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "file: %s: others may open it (mode %03o), but it is for a secret: chmod 600 %s",
                            path, (unsigned)(st.st_mode & 0777), path);
    return TL_EXIT_OK;
}

/* Reads to the end of the file, or one byte more than `room`. */
static tl_exit read_all(int fd, const char *path, uint8_t *p, size_t room, size_t *n, tl_fault *fault)
{
    *n = 0;
    for (;;) {
        uint8_t more;
        bool full = *n == room;
        ssize_t got = read(fd, full ? &more : p + *n, full ? 1 : room - *n);

        if (got == 0)
            return TL_EXIT_OK;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tl_fault_errno(fault, TL_EXIT_USAGE, "file: %s", path);
        if (full)
            return tl_fault_set(fault, TL_EXIT_USAGE, "file: %s: longer than the %zu bytes that it may have",
                                path, room);
        *n += (size_t)got;
    }
}

tl_exit tl_file_read(const char *path, tl_file_kind kind, uint8_t *p, size_t room, size_t *n, tl_fault *fault)
{
    /* Non-blocking: a named pipe in place of the file must not hang the program. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    tl_exit e;

    if (fd < 0)
        return tl_fault_errno(fault, TL_EXIT_USAGE, "file: %s", path);
    e = check_kind(fd, path, kind, fault);
    if (e == TL_EXIT_OK)
        e = read_all(fd, path, p, room, n, fault);
    close(fd);
    if (e != TL_EXIT_OK) {
        tl_wipe(p, room);
        *n = 0;
    }
    return e;
}

tl_exit tl_file_begin(tl_file *file, const char *path, mode_t mode, tl_fault *fault)
{
    int fd, kept;

    file->stream = NULL;
    if (strlen(path) >= sizeof file->path)
        return tl_fault_set(fault, TL_EXIT_USAGE, "file: %.80s...: the name is too long", path);
    (void)snprintf(file->path, sizeof file->path, "%s", path);
    (void)snprintf(file->temporary, sizeof file->temporary, "%s.XXXXXX", path);
    fd = mkostemp(file->temporary, O_CLOEXEC);
    if (fd < 0)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "file: %s", path);
    if (fchmod(fd, mode) == 0)
        file->stream = fdopen(fd, "wb");
    if (file->stream == NULL) {
        kept = errno;
        close(fd);
        unlink(file->temporary);
        errno = kept;
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "file: %s", path);
    }
    return TL_EXIT_OK;
}

void tl_file_abandon(tl_file *file)
{
    if (file->stream == NULL)
        return;
    (void)fclose(file->stream);
    unlink(file->temporary);
    file->stream = NULL;
}

/* A name stands in its folder: until that is on disk, a crash may bring the older file back. */
static bool sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char folder[sizeof((tl_file *)NULL)->path] = ".";
    bool right;
    int fd;

    if (n > 0) {
        memcpy(folder, path, n);
        folder[n] = '\0';
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES;                /* one may write in it, and not read it */
    right = fsync(fd) == 0 || errno == EINVAL; /* a file system that has no such thing */
    close(fd);
    return right;
}

/* Gives the temporary file its name. */
static tl_exit name_it(const tl_file *file, tl_file_clash clash, tl_fault *fault)
{
    if (clash == TL_FILE_REPLACE) {
        if (rename(file->temporary, file->path) == 0 && sync_folder(file->path))
            return TL_EXIT_OK;
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "file: %s", file->path);
    }
    if (link(file->temporary, file->path) == 0) {
        unlink(file->temporary);
        return TL_EXIT_OK;
    }
    if (errno == EEXIST)
        return tl_fault_set(fault, TL_EXIT_USAGE, "file: %s: is there already and stays as it is",
                            file->path);
    return tl_fault_errno(fault, TL_EXIT_INTERNAL, "file: %s", file->path);
}

tl_exit tl_file_commit(tl_file *file, tl_file_clash clash, tl_fault *fault)
{
    /* An error of an earlier write, which the stream remembers, has lost its errno: flushing again tells it. */
    bool right = fflush(file->stream) == 0 && !ferror(file->stream) && fsync(fileno(file->stream)) == 0;
    int kept = errno;
    tl_exit e;

    if (fclose(file->stream) != 0 && right) {
        right = false;
        kept = errno;
    }
    file->stream = NULL;
    errno = kept;
    e = right ? name_it(file, clash, fault)
              : tl_fault_errno(fault, TL_EXIT_INTERNAL, "file: %s: not written", file->path);
    if (e != TL_EXIT_OK)
        unlink(file->temporary);
    return e;
}

tl_exit tl_file_write(const char *path, tl_span bytes, mode_t mode, tl_file_clash clash, tl_fault *fault)
{
    tl_file file;
    tl_exit e = tl_file_begin(&file, path, mode, fault);

    if (e != TL_EXIT_OK)
        return e;
    /* Unbuffered: no second copy of a secret in the stream's buffer. */
    (void)setvbuf(file.stream, NULL, _IONBF, 0);
    if (fwrite(bytes.p, 1, bytes.n, file.stream) != bytes.n) {
        e = tl_fault_errno(fault, TL_EXIT_INTERNAL, "file: %s: not written", path);
        tl_file_abandon(&file);
        return e;
    }
    return tl_file_commit(&file, clash, fault);
}

tl_exit tl_file_folder(const char *path, tl_fault *fault)
{
    struct stat st;

    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return TL_EXIT_OK;
    return tl_fault_errno(fault, TL_EXIT_INTERNAL, "folder: %s", path);
}
