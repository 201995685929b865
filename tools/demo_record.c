#include "demo_record.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { STEP = 1 << 24 };

static tl_exit cannot(const char *path, tl_fault *fault)
{
    return tl_fault_errno(fault, TL_EXIT_INTERNAL, "capture: %.300s: cannot be written", path);
}

static tl_exit make(const char *path, bool secret, tl_fault *fault)
{
    int fd = recording_create(path, secret);

    if (fd < 0 || close(fd) != 0)
        return cannot(path, fault);
    return TL_EXIT_OK;
}

tl_exit demo_record_open(demo_record *r, const tap_options *o, const char *folder, tl_fault *fault)
{
    bool inside = tap_options_inside(o);
    tl_exit e = TL_EXIT_OK;

    *r = (demo_record){ .o = *o };
    (void)snprintf(r->capture, sizeof r->capture, "%.600s/session.pcapng", folder);
    (void)snprintf(r->secrets, sizeof r->secrets, "%.600s/session.keys", folder);
    if (inside)
        r->o.secrets = NULL; /* they come with the capture */
    if (o->capture != NULL) {
        r->of_session.capture = r->capture;
        e = make(o->capture, inside, fault);
    }
    if (e == TL_EXIT_OK && o->capture != NULL && o->secrets != NULL && !inside)
        e = recording_apart(o->capture, o->secrets, fault);
    if (o->secrets != NULL)
        r->of_session.secrets = inside ? r->capture : r->secrets;
    return e == TL_EXIT_OK && r->o.secrets != NULL ? make(r->o.secrets, true, fault) : e;
}

static tl_exit copy(int from, int to, const char *path, tl_fault *fault)
{
    ssize_t n;

    do {
        n = sendfile(to, from, NULL, STEP);
        if (n < 0 && errno != EINTR)
            return cannot(path, fault);
    } while (n != 0);
    return TL_EXIT_OK;
}

/* Moves a session's file to the end of the whole one. A session that came to none has recorded nothing. */
static tl_exit append(const char *path, const char *session, tl_fault *fault)
{
    int from = open(session, O_RDONLY | O_CLOEXEC), to;
    tl_exit e;

    if (from < 0)
        return TL_EXIT_OK;
    to = open(path, O_WRONLY | O_CLOEXEC);
    if (to < 0 || lseek(to, 0, SEEK_END) < 0)
        e = cannot(path, fault);
    else
        e = copy(from, to, path, fault);
    if (to >= 0 && close(to) != 0 && e == TL_EXIT_OK)
        e = cannot(path, fault);
    (void)close(from);
    (void)unlink(session);
    return e;
}

tl_exit demo_record_take(const demo_record *r, tl_fault *fault)
{
    tl_exit e = r->o.capture != NULL ? append(r->o.capture, r->capture, fault) : TL_EXIT_OK;

    return e == TL_EXIT_OK && r->o.secrets != NULL ? append(r->o.secrets, r->secrets, fault) : e;
}
