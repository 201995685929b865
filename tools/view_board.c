/* The board is written under counters that are odd meanwhile: a reader that sees another count after its copy than before
 * it throws the copy away. */
#include "view_board.h"

#include <string.h>
#include <sys/mman.h>

enum { TRIES = 200 };

uint32_t view_pairs(const view_facts *f)
{
    return f->step > 0 ? (f->height / 2 + f->step - 1) / f->step : 0;
}

size_t view_pixel_bytes(const view_facts *f)
{
    return 2 * (size_t)view_pairs(f) * f->line_bytes;
}

tl_exit view_board_make(view_board **board, tl_fault *fault)
{
    void *p =
        mmap(NULL, sizeof **board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "view: no memory");
    *board = p;
    return TL_EXIT_OK;
}

void view_board_drop(view_board *board)
{
    if (board != NULL)
        (void)munmap(board, sizeof *board);
}

tl_exit view_board_seal(view_board *board, tl_fault *fault)
{
    if (mprotect(board, sizeof *board, PROT_READ) != 0)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "view: cannot protect memory");
    return TL_EXIT_OK;
}

/* ---- writing ---- */

static void begin(_Atomic uint32_t *turn)
{
    atomic_store_explicit(turn, atomic_load_explicit(turn, memory_order_relaxed) | 1u, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static void end(_Atomic uint32_t *turn)
{
    atomic_store_explicit(turn, atomic_load_explicit(turn, memory_order_relaxed) + 1u, memory_order_release);
}

void view_board_tell(view_board *board, const view_facts *facts)
{
    begin(&board->facts_turn);
    board->facts = *facts;
    end(&board->facts_turn);
}

static bool on_show(view_board *board, uint32_t index)
{
    for (int k = 0; k < VIEW_KINDS; k++)
        if (atomic_load_explicit(&board->newest[k], memory_order_relaxed) == index + 1)
            return true;
    return false;
}

static bool written(const view_slot *s)
{
    return (atomic_load_explicit(&s->turn, memory_order_relaxed) & 1u) != 0;
}

/* Of those that are not on show the one that was written longest ago: somebody may still be copying the others. */
view_slot *view_board_begin(view_board *board, uint32_t lines)
{
    view_slot *oldest = NULL;

    for (uint32_t i = 0; i < VIEW_SLOTS; i++) {
        view_slot *s = &board->slots[i];

        if (!on_show(board, i) && !written(s) && (oldest == NULL || s->head.number < oldest->head.number))
            oldest = s;
    }
    begin(&oldest->turn);
    memset(&oldest->head, 0, sizeof oldest->head);
    memset(oldest->lines.have, 0, lines);
    memset(oldest->lines.claim, 0, lines);
    return oldest;
}

void view_board_show(view_board *board, view_slot *slot, view_kind kind)
{
    end(&slot->turn);
    atomic_store_explicit(&board->newest[kind], (uint32_t)(slot - board->slots) + 1, memory_order_release);
}

void view_board_wipe(view_board *board, size_t n)
{
    for (uint32_t i = 0; i < VIEW_SLOTS; i++)
        if (atomic_load_explicit(&board->slots[i].turn, memory_order_relaxed) != 0)
            tl_wipe(board->slots[i].pixels, n);
}

/* ---- reading ---- */

static bool still(const _Atomic uint32_t *turn, uint32_t before)
{
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(turn, memory_order_relaxed) == before;
}

bool view_board_facts(const view_board *board, view_facts *facts)
{
    for (int i = 0; i < TRIES; i++) {
        uint32_t before = atomic_load_explicit(&board->facts_turn, memory_order_acquire);

        if ((before & 1u) != 0)
            continue;
        *facts = board->facts;
        if (still(&board->facts_turn, before))
            return true;
    }
    return false;
}

static bool copy_picture(const view_board *board, view_kind kind, view_copy *copy, size_t n)
{
    for (int i = 0; i < TRIES; i++) {
        uint32_t index = atomic_load_explicit(&board->newest[kind], memory_order_acquire), before;
        const view_slot *slot;

        if (index == 0 || index > VIEW_SLOTS || copy->height > VIEW_LINES_MAX || n > VIEW_PIXELS_MAX)
            return false;
        slot = &board->slots[index - 1];
        before = atomic_load_explicit(&slot->turn, memory_order_acquire);
        if ((before & 1u) != 0)
            continue;
        copy->head = slot->head;
        memcpy(copy->lines.have, slot->lines.have, copy->height);
        memcpy(copy->lines.claim, slot->lines.claim, copy->height);
        if (n > 0)
            memcpy(copy->pixels, slot->pixels, n);
        if (still(&slot->turn, before))
            return true;
    }
    return false;
}

bool view_board_picture(const view_board *board, view_kind kind, view_copy *copy)
{
    return copy_picture(board, kind, copy, copy->n);
}

bool view_board_head(const view_board *board, view_kind kind, view_copy *copy)
{
    return copy_picture(board, kind, copy, 0);
}
