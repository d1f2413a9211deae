// What Swift's Glibc module leaves out: epoll(7), eventfd(2), adjtimex(2) and what only GNU has: accept4(2), malloc_trim(3)
// and actions of posix_spawn(3).
#include <spawn.h>
#include <sys/timex.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

extern int accept4(int, struct sockaddr *, socklen_t *, int);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
