// What Swift's Glibc module leaves out: epoll(7), eventfd(2) and the GNU-only accept4(2) and malloc_trim(3).
#include <sys/timex.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

extern int accept4(int, struct sockaddr *, socklen_t *, int);
