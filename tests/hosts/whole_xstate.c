/* Copyright: (c) 2026, podwright.pods contributors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lets User-Mode Linux run on processors whose registers (XSTATE) are more than the 2696 bytes that it knows, as those
 * with AMX are: ptrace sets them only as a whole, and fails with EFAULT otherwise. What is added is zero, that is
 * unused, for a guest cannot ask for AMX.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

typedef long Ptrace(enum __ptrace_request, pid_t, void *, void *);

static unsigned char whole[1 << 16] __attribute__((aligned(64)));
static size_t whole_size;

long ptrace(enum __ptrace_request request, ...)
{
    static Ptrace *next;
    va_list arguments;

    va_start(arguments, request);
    pid_t pid = va_arg(arguments, pid_t);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);
    if (!next)
        next = (Ptrace *)dlsym(RTLD_NEXT, "ptrace");
    if (request != PTRACE_SETREGSET || (long)address != NT_X86_XSTATE)
        return next(request, pid, address, data);

    if (!whole_size) {
        struct iovec found = {whole, sizeof(whole)};
        if (next(PTRACE_GETREGSET, pid, address, &found) < 0)
            return -1;
        memset(whole, 0, sizeof(whole));
        whole_size = found.iov_len;
    }
    const struct iovec *given = data;
    if (given->iov_len >= whole_size)
        return next(request, pid, address, data);
    memcpy(whole, given->iov_base, given->iov_len);
    struct iovec all = {whole, whole_size};
    return next(request, pid, address, &all);
}
