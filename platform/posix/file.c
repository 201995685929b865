/* Files of the programs. A file is written under a temporary name beside its own, synced, and renamed: a full disk or
 * a crash leaves the old file or none. "Refuse" uses a hard link in place of the rename, which fails if the name is
 * taken, so that two programs cannot both believe that they made the file. A rename would put a file in the place of a
 * device or a pipe, and of a symbolic link: those are written where they lie, and where they point. */
#include "file.h"
#include "clock.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    LINKS_MAX = 40,      /* as many as the system follows */
    PROC_MAGIC = 0x9FA0, /* statfs(2) */
    READER_MS = 10000,   /* for somebody to read a pipe */
    READER_TICK_MS = 20
};

/* Whoever names another file by mistake is not to make that one private. */
static bool begins_as(int fd, const char *begin)
{
    char first[64];
    ssize_t n = pread(fd, first, sizeof first, 0);
    ssize_t i = 0;

    while (i < n && (first[i] == ' ' || first[i] == '\t' || first[i] == '\r' || first[i] == '\n'))
        i++;
    return n - i >= (ssize_t)strlen(begin) && memcmp(first + i, begin, strlen(begin)) == 0;
}

static tl_exit check_kind(int fd, const char *path, tl_file_kind kind, tl_fault *fault)
{
    const bool json = kind == TL_FILE_SECRET_JSON;
    struct stat st;

    if (fstat(fd, &st) != 0)
        return tl_fault_errno(fault, TL_EXIT_USAGE, "file: %s", path);
    if (!S_ISREG(st.st_mode))
        return tl_fault_set(fault, TL_EXIT_USAGE, "file: %s: not a regular file", path);
    if (kind == TL_FILE_PUBLIC || (st.st_mode & 077) == 0)
        return TL_EXIT_OK;
    if (!begins_as(fd, json ? "{" : "-----BEGIN"))
        return tl_fault_set(fault, TL_EXIT_USAGE, "file: %s: it is no %s", path, json ? "JSON" : "PEM");
    return tl_fault_set(fault, TL_EXIT_USAGE,
                        "file: %s: others may open it (mode %03o), but it is for a secret: chmod 600 %s",
                        path, (unsigned)(st.st_mode & 0777), path);
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

/* Where a symbolic link points, by one step. */
static tl_exit follow(char path[TL_FILE_PATH], const char *name, tl_fault *fault)
{
    char to[TL_FILE_PATH];
    const char *slash = strrchr(path, '/');
    size_t folder = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    ssize_t n = readlink(path, to, sizeof to);

    if (n < 0)
        return tl_fault_errno(fault, TL_EXIT_USAGE, "file: %s", name);
    if (to[0] == '/')
        folder = 0;
    if (folder + (size_t)n >= TL_FILE_PATH)
        return tl_fault_set(fault, TL_EXIT_USAGE, "file: %.80s...: the name is too long", name);
    memcpy(path + folder, to, (size_t)n);
    path[folder + (size_t)n] = '\0';
    return TL_EXIT_OK;
}

/* The links of /proc/PID/fd, thus of /dev/stdout, are no names: what is open there may have none, and who opened it
 * goes on writing to it. */
static bool is_of_proc(const char *path)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct statfs fs;
    bool proc = fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_MAGIC;

    if (fd >= 0)
        close(fd);
    return proc;
}

tl_exit tl_file_target(const char *path, char target[TL_FILE_PATH], bool *in_place, tl_fault *fault)
{
    struct stat st;

    *in_place = false;
    if (strlen(path) >= TL_FILE_PATH)
        return tl_fault_set(fault, TL_EXIT_USAGE, "file: %.80s...: the name is too long", path);
    (void)snprintf(target, TL_FILE_PATH, "%s", path);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        *in_place = true;
        if (S_ISDIR(st.st_mode) || S_ISSOCK(st.st_mode))
            return tl_fault_set(fault, TL_EXIT_USAGE, "file: %s: it is a %s; give a file, a pipe or a device",
                                path, S_ISDIR(st.st_mode) ? "folder" : "socket");
        return TL_EXIT_OK;
    }
    for (int i = 0; lstat(target, &st) == 0 && S_ISLNK(st.st_mode); i++) {
        tl_exit e = TL_EXIT_OK;

        if (is_of_proc(target)) {
            *in_place = true;
            return TL_EXIT_OK;
        }
        if (i == LINKS_MAX) {
            errno = ELOOP;
            return tl_fault_errno(fault, TL_EXIT_USAGE, "file: %s", path);
        }
        e = follow(target, path, fault);
        if (e != TL_EXIT_OK)
            return e;
    }
    return TL_EXIT_OK;
}

/* A pipe can be opened once somebody reads it; who waits must hear the signal that ends the program. */
static tl_exit open_in_place(const char *path, int *fd, tl_fault *fault)
{
    uint64_t deadline_ms = tl_clock_ms() + READER_MS;
    tl_exit e = TL_EXIT_OK;
    int flags;
    bool ready;

    for (;;) {
        *fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (*fd >= 0 || errno != ENXIO)
            break;
        if (tl_clock_ms() > deadline_ms)
            return tl_fault_set(fault, TL_EXIT_INTERNAL, "file: %s: a pipe, and nobody reads it", path);
        e = tl_wait(-1, 0, tl_clock_ms() + READER_TICK_MS, &ready, fault);
        if (e != TL_EXIT_OK)
            return e;
    }
    flags = *fd >= 0 ? fcntl(*fd, F_GETFL) : -1;
    if (flags >= 0 && fcntl(*fd, F_SETFL, flags & ~O_NONBLOCK) == 0)
        return TL_EXIT_OK;
    return tl_fault_errno(fault, TL_EXIT_INTERNAL, "file: %s", path);
}

static tl_exit open_temporary(tl_file *file, mode_t mode, int *fd, tl_fault *fault)
{
    (void)snprintf(file->temporary, sizeof file->temporary, "%s.XXXXXX", file->path);
    *fd = mkostemp(file->temporary, O_CLOEXEC);
    if (*fd < 0)
        file->temporary[0] = '\0';
    if (*fd >= 0 && fchmod(*fd, mode) == 0)
        return TL_EXIT_OK;
    return tl_fault_errno(fault, TL_EXIT_INTERNAL, "file: %s", file->path);
}

static void drop_temporary(const tl_file *file)
{
    if (file->temporary[0] != '\0')
        unlink(file->temporary);
}

tl_exit tl_file_begin(tl_file *file, const char *path, mode_t mode, tl_fault *fault)
{
    bool in_place;
    int fd = -1;
    tl_exit e;

    file->stream = NULL;
    file->unsynced = false;
    file->temporary[0] = '\0';
    e = tl_file_target(path, file->path, &in_place, fault);
    if (e != TL_EXIT_OK)
        return e;
    e = in_place ? open_in_place(file->path, &fd, fault) : open_temporary(file, mode, &fd, fault);
    if (e == TL_EXIT_OK) {
        file->stream = fdopen(fd, "wb");
        if (file->stream != NULL)
            return TL_EXIT_OK;
        e = tl_fault_errno(fault, TL_EXIT_INTERNAL, "file: %s", path);
    }
    if (fd >= 0)
        close(fd);
    drop_temporary(file);
    return e;
}

void tl_file_abandon(tl_file *file)
{
    if (file->stream == NULL)
        return;
    (void)fclose(file->stream);
    drop_temporary(file);
    file->stream = NULL;
}

/* A name stands in its folder: until that is on disk, a crash may bring the older file back. */
static bool sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char folder[TL_FILE_PATH] = ".";
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

/* What lies in no file system has nothing to sync. */
static bool sync_stream(FILE *stream)
{
    return fsync(fileno(stream)) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}

/* Gives the temporary file its name. */
static tl_exit name_it(const tl_file *file, tl_file_clash clash, tl_fault *fault)
{
    if (file->temporary[0] == '\0')
        return TL_EXIT_OK;
    if (clash == TL_FILE_REPLACE) {
        if (rename(file->temporary, file->path) == 0 && (file->unsynced || sync_folder(file->path)))
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
    bool right =
        fflush(file->stream) == 0 && !ferror(file->stream) && (file->unsynced || sync_stream(file->stream));
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
        drop_temporary(file);
    return e;
}

tl_exit tl_file_write(const char *path, tl_span bytes, mode_t mode, tl_file_clash clash, tl_fault *fault)
{
    tl_file file;
    struct stat st;
    tl_exit e;

    /* Early, because what is written in place has no name to be refused later. */
    if (clash == TL_FILE_REFUSE && stat(path, &st) == 0)
        return tl_fault_set(fault, TL_EXIT_USAGE, "file: %s: is there already and stays as it is", path);
    e = tl_file_begin(&file, path, mode, fault);
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

    if (mkdir(path, 0777) == 0)
        return TL_EXIT_OK;
    if (errno == EEXIST) { /* "File exists" would not say what is wrong with that */
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            return TL_EXIT_OK;
        errno = ENOTDIR;
    }
    return tl_fault_errno(fault, TL_EXIT_INTERNAL, "folder: %s", path);
}
