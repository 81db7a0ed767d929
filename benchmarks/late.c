/* A web server that answers every request 50.0 ms after its last byte was read, and tells how late it was itself.
 *
 *   late SECONDS    ends by itself after so many seconds; prints its port on 127.0.0.1 as its first line.
 *   GET /lateness   "count p50 p99 max": microseconds beyond the 50 ms since the last time this was asked.
 *
 * One thread; every answer waits equally long, so the answers that are due form a queue, and one timer serves it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define DELAY_NS 50000000LL
#define MOST 8192 /* connections, requests waiting */
#define KEPT 200000

struct due { int64_t at; int fd; unsigned made; };
static struct due queue[MOST];
static unsigned head, tail;
static unsigned made[MOST]; /* how often a number was given to a connection: an answer never goes to its successor */
static char seen[MOST][4];  /* the last bytes of each connection */
static char wants[MOST];    /* 'l' where the newest request is for /lateness */
static char fresh[MOST];    /* the next byte is a request's first */
static int32_t late[KEPT];
static int count;
static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int upwards(const void *a, const void *b) { return (*(int32_t *)a > *(int32_t *)b) - (*(int32_t *)a < *(int32_t *)b); }

static void tell(int fd) {
    char text[128], answer[256];
    qsort(late, count, sizeof *late, upwards);
    if (count)
        snprintf(text, sizeof text, "%d %d %d %d", count, late[count / 2], late[(int)(count * 0.99)], late[count - 1]);
    else
        snprintf(text, sizeof text, "0 0 0 0");
    int n = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(text), text);
    count = 0;
    if (write(fd, answer, n) < 0) perror("write");
}

static void arm(int timer) {
    struct itimerspec when = {0};
    if (head != tail) {
        when.it_value.tv_sec = queue[head].at / 1000000000LL;
        when.it_value.tv_nsec = queue[head].at % 1000000000LL;
    }
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void gone(int fd) {
    made[fd]++;
    close(fd);
}

static void heard(int fd, const char *data, ssize_t length, int timer) {
    for (ssize_t i = 0; i < length; i++) {
        if (fresh[fd]) {
            fresh[fd] = 0;
            wants[fd] = length - i > 5 ? data[i + 5] : 0; /* GET /lateness: a request line comes whole here */
        }
        memmove(seen[fd], seen[fd] + 1, 3);
        seen[fd][3] = data[i];
        if (memcmp(seen[fd], "\r\n\r\n", 4)) continue;
        fresh[fd] = 1;
        if (wants[fd] == 'l') { tell(fd); continue; }
        if ((tail + 1) % MOST == head) { gone(fd); return; }
        queue[tail] = (struct due){now() + DELAY_NS, fd, made[fd]};
        int first = head == tail;
        tail = (tail + 1) % MOST;
        if (first) arm(timer);
    }
}

int main(int argc, char **argv) {
    alarm(argc > 1 ? atoi(argv[1]) : 60);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct rlimit files = {MOST, MOST};
    setrlimit(RLIMIT_NOFILE, &files);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof where;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    if (bind(listening, (struct sockaddr *)&where, size) || listen(listening, 4096)) { perror("listen"); return 1; }
    getsockname(listening, (struct sockaddr *)&where, &size);
    int poller = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listening}, events[256];
    epoll_ctl(poller, EPOLL_CTL_ADD, listening, &event);
    event.data.fd = timer;
    epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event);
    printf("%d\n", ntohs(where.sin_port));
    for (;;) {
        int number = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < number; i++) {
            int fd = events[i].data.fd;
            if (fd == timer) {
                uint64_t ticks;
                if (read(timer, &ticks, sizeof ticks) < 0) continue;
            } else if (fd == listening) {
                for (int new; (new = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                    if (new >= MOST) { close(new); continue; }
                    setsockopt(new, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    memset(seen[new], 0, 4);
                    fresh[new] = 1;
                    made[new]++;
                    event.data.fd = new;
                    epoll_ctl(poller, EPOLL_CTL_ADD, new, &event);
                }
            } else {
                char data[4096];
                ssize_t length = read(fd, data, sizeof data);
                if (length <= 0) gone(fd);
                else heard(fd, data, length, timer);
            }
        }
        int64_t at = now();
        while (head != tail && queue[head].at <= at) {
            struct due *due = &queue[head];
            head = (head + 1) % MOST;
            if (made[due->fd] != due->made) continue;
            at = now();
            if (write(due->fd, ANSWER, sizeof ANSWER - 1) < 0) continue;
            if (count < KEPT) late[count++] = (int32_t)((at - due->at) / 1000);
        }
        arm(timer);
    }
}
