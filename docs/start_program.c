/*
 * Copyright: (c) 2026, podwright.pods contributors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The start program: gives a container variables that Podman does not know, and becomes the container's own command.
 *
 *     /.podwright/start COMMAND [ARGUMENT...]
 *
 * The file "data" beside it has strings that each end with a NUL: "eNAME=VALUE" is a variable, "wWORD" a word. A
 * variable takes the place of one of its name; all others stay as they were given. Without a command of its own the
 * program takes the words. What cannot be done ends it: 127 where there is no such command, else 126.
 *
 * It needs no library and no shell, so that it runs in any image: five system calls are all that it uses.
 * scripts/build_start_program.py builds it for every kind of machine and writes plugins/module_utils/_reconcile/rendering/start_program.py.
 */

enum {
    DATA_BYTES = 8 << 20, /* The kernel takes 6 MiB of variables and arguments at most. */
    STRINGS = 1 << 17,
    PATH_BYTES = 4096,
    AT_FDCWD = -100,
    O_CLOEXEC = 02000000,
    ENOENT = 2,
    EINTR = 4,
    E2BIG = 7,
    ENOEXEC = 8,
    EACCES = 13,
    ENOTDIR = 20,
    CANNOT = 126, /* The exit codes of a shell. */
    NOT_FOUND = 127,
};

#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, EXECVE = 59, EXIT = 231, OPENAT = 257 };
__asm__(".globl _start\n_start: xor %ebp,%ebp\nmov %rsp,%rdi\nand $-16,%rsp\ncall start\n");
static long call(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}
#elif defined(__i386__)
enum { READ = 3, WRITE = 4, EXECVE = 11, EXIT = 252, OPENAT = 295 };
__asm__(".globl _start\n_start: mov %esp,%eax\nand $-16,%esp\nsub $12,%esp\npush %eax\ncall start\n");
static long call(long number, long a, long b, long c, long d)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
    return result;
}
#elif defined(__aarch64__)
enum { READ = 63, WRITE = 64, EXECVE = 221, EXIT = 94, OPENAT = 56 };
__asm__(".globl _start\n_start: mov x0,sp\nb start\n");
static long call(long number, long a, long b, long c, long d)
{
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c, x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
#elif defined(__arm__)
enum { READ = 3, WRITE = 4, EXECVE = 11, EXIT = 248, OPENAT = 322 };
__asm__(".globl _start\n_start: mov r0,sp\nbic sp,sp,#7\nb start\n");
static long call(long number, long a, long b, long c, long d)
{
    register long r7 __asm__("r7") = number, r0 __asm__("r0") = a, r1 __asm__("r1") = b;
    register long r2 __asm__("r2") = c, r3 __asm__("r3") = d;
    __asm__ volatile("svc 0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2), "r"(r3) : "memory");
    return r0;
}
#elif defined(__riscv)
enum { READ = 63, WRITE = 64, EXECVE = 221, EXIT = 94, OPENAT = 56 };
__asm__(".globl _start\n_start: mv a0,sp\nandi sp,sp,-16\ntail start\n");
static long call(long number, long a, long b, long c, long d)
{
    register long a7 __asm__("a7") = number, a0 __asm__("a0") = a, a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c, a3 __asm__("a3") = d;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3) : "memory");
    return a0;
}
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
enum { READ = 3, WRITE = 4, EXECVE = 11, EXIT = 234, OPENAT = 286 };
__asm__(".globl _start\n_start: mr 3,1\nbcl 20,31,1f\n1: mflr 2\naddis 2,2,.TOC.-1b@ha\naddi 2,2,.TOC.-1b@l\n"
        "clrrdi 1,1,4\nli 0,0\nstdu 0,-112(1)\nbl start\nnop\n");
static long call(long number, long a, long b, long c, long d)
{
    register long r0 __asm__("r0") = number, r3 __asm__("r3") = a, r4 __asm__("r4") = b;
    register long r5 __asm__("r5") = c, r6 __asm__("r6") = d;
    __asm__ volatile("sc\nbns+ 1f\nneg 3,3\n1:" : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6) : :
                     "r7", "r8", "r9", "r10", "r11", "r12", "cr0", "ctr", "memory");
    return r3;
}
#elif defined(__s390x__)
enum { READ = 3, WRITE = 4, EXECVE = 11, EXIT = 248, OPENAT = 288 };
__asm__(".globl _start\n_start: lgr %r2,%r15\naghi %r15,-160\njg start\n");
static long call(long number, long a, long b, long c, long d)
{
    register long r1 __asm__("r1") = number, r2 __asm__("r2") = a, r3 __asm__("r3") = b;
    register long r4 __asm__("r4") = c, r5 __asm__("r5") = d;
    __asm__ volatile("svc 0" : "+d"(r2) : "d"(r1), "d"(r3), "d"(r4), "d"(r5) : "memory");
    return r2;
}
#else
#error "no system calls for this kind of machine"
#endif
__asm__(".section .note.GNU-stack,\"\",%progbits\n.text\n");

static char data[DATA_BYTES];
static char *variables[STRINGS], *words[STRINGS], path[PATH_BYTES];

static long length(const char *text)
{
    long count = 0;
    while (text[count])
        count++;
    return count;
}

static void say(const char *text)
{
    call(WRITE, 2, (long)text, length(text), 0);
}

/* Of three digits, without a division, for which some machines need a library. */
static void say_number(long number)
{
    for (long unit = 100; unit; unit = unit == 100 ? 10 : unit == 10 ? 1 : 0) {
        char digit = '0';
        for (; number >= unit; number -= unit)
            digit++;
        call(WRITE, 2, (long)&digit, 1, 0);
    }
    say("\n");
}

/* Say what failed, and why, and end. */
static void end(const char *what, long error, long status)
{
    say("podwright: ");
    say(what);
    say(error == ENOENT    ? ": not found\n"
        : error == EACCES  ? ": permission denied\n"
        : error == ENOEXEC ? ": is no program for this machine\n"
        : error == E2BIG   ? ": too many or too long variables and arguments\n"
                           : ": error ");
    if (error != ENOENT && error != EACCES && error != ENOEXEC && error != E2BIG)
        say_number(error);
    for (;;)
        call(EXIT, status, 0, 0, 0);
}

static void end_at(const char *command, long error)
{
    end(command, error, error == ENOENT ? NOT_FOUND : CANNOT);
}

/* Whether two strings begin with the same name, up to its "=". */
static int same_name(const char *one, const char *other)
{
    while (*one == *other && *one && *one != '=')
        one++, other++;
    return *one == *other && *one == '=';
}

static const char *value_of(const char *variable, char **among)
{
    for (; *among; among++)
        if (same_name(variable, *among))
            return *among + length(variable);
    return 0;
}

/* The file beside the program, whole; its length. */
static long read_data(const char *program)
{
    long slash = length(program), count = 0, found, file;
    while (slash && program[slash - 1] != '/')
        slash--;
    if (slash + sizeof "data" > PATH_BYTES)
        end(program, E2BIG, CANNOT);
    for (long at = 0; at < slash; at++)
        path[at] = program[at];
    for (long at = 0; at < (long)sizeof "data"; at++)
        path[slash + at] = "data"[at];
    while ((file = call(OPENAT, AT_FDCWD, (long)path, O_CLOEXEC, 0)) == -EINTR)
        ;
    if (file < 0)
        end(path, -file, CANNOT);
    while ((found = call(READ, file, (long)(data + count), DATA_BYTES - count, 0)) > 0 || found == -EINTR)
        count += found > 0 ? found : 0;
    if (found < 0)
        end(path, -found, CANNOT);
    if (count == DATA_BYTES || (count && data[count - 1]))
        end(path, E2BIG, CANNOT);
    return count;
}

/* Become the command; where its name has no "/" it is looked for in PATH, as execvp(3) does. */
static void become(char **command)
{
    const char *name = command[0], *places = value_of("PATH=", variables);
    long name_bytes = length(name), error = ENOENT, failed;
    for (const char *at = name; *at; at++)
        if (*at == '/')
            end_at(name, -call(EXECVE, (long)name, (long)command, (long)variables, 0));
    while (places && name_bytes) {
        long count = 0;
        for (; *places && *places != ':'; places++)
            if (count < PATH_BYTES - 1)
                path[count++] = *places;
        if (count + 1 + name_bytes < PATH_BYTES) {
            if (count)
                path[count++] = '/';
            for (long at = 0; at <= name_bytes; at++)
                path[count + at] = name[at];
            failed = -call(EXECVE, (long)path, (long)command, (long)variables, 0);
            if (failed == EACCES)
                error = EACCES;
            else if (failed != ENOENT && failed != ENOTDIR)
                end_at(path, failed);
        }
        places = *places ? places + 1 : 0;
    }
    end_at(name, error);
}

__attribute__((used, noreturn)) void start(long *stack)
{
    long given = stack[0], count = 0, many = 0, own;
    char **arguments = (char **)(stack + 1), **inherited = arguments + given + 1;
    long bytes = read_data(given ? arguments[0] : "");
    for (char *at = data; at < data + bytes; at += length(at) + 1) {
        if (count == STRINGS - 1 || many == STRINGS - 1)
            end("data", E2BIG, CANNOT);
        if (*at == 'e')
            variables[count++] = at + 1;
        else if (*at == 'w')
            words[many++] = at + 1;
    }
    own = count;
    for (; *inherited; inherited++) {
        long number = 0;
        while (number < own && !same_name(*inherited, variables[number]))
            number++;
        if (count == STRINGS - 1)
            end("data", E2BIG, CANNOT);
        if (number == own)
            variables[count++] = *inherited;
    }
    if (given < 2 && !many)
        end_at("command", ENOENT);
    become(given < 2 ? words : arguments + 1);
    for (;;)
        ;
}
