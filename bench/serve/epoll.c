/* The kernel's own floor: answer every request with constant bytes, and do nothing else.
 *
 * Level-triggered epoll, one thread, one read and one write a request. A request ends at CRLF CRLF plus the
 * octets that Content-Length announces; nothing else is looked at, so this is no HTTP server.
 * Usage: epoll PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 4096, BUFFER = 16384, EVENTS = 512 };

struct connection {
    size_t held;    /* octets in buffer that are no complete head yet */
    size_t content; /* octets of content still to come and to be dropped */
    char buffer[BUFFER];
};

static struct connection *connections[CONNECTIONS];

static const char answer[] =
    "HTTP/1.1 307 Temporary Redirect\r\n"
    "Location: https://api.example.com/v2/resource\r\n"
    "Cache-Control: no-store\r\n"
    "X-Redirect-By: epoll resource\r\n"
    "Content-Length: 0\r\n"
    "\r\n";

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int listen_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) fail("listen");
    return listener;
}

static void watch(int poll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

static void take(int poll, int listener) {
    int one = 1, fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= CONNECTIONS) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        connections[fd] = calloc(1, sizeof(struct connection));
        if (!connections[fd]) fail("calloc");
        watch(poll, fd);
    }
}

static void drop(int fd) {
    free(connections[fd]);
    connections[fd] = NULL;
    close(fd);
}

static size_t content_length(const char *head, const char *end) {
    for (const char *line = head; line && line < end; line = memchr(line, '\n', (size_t)(end - line))) {
        if (*line == '\n') line++;
        if (end - line > 15 && !strncasecmp(line, "content-length:", 15)) return strtoul(line + 15, NULL, 10);
    }
    return 0;
}

/* Drop what is complete from the front of the buffer; return how many heads were. */
static int consume(struct connection *c) {
    char *at = c->buffer, *stop = c->buffer + c->held;
    int heads = 0;
    for (;;) {
        size_t here = (size_t)(stop - at), skip = c->content < here ? c->content : here;
        at += skip;
        c->content -= skip;
        char *end = memmem(at, (size_t)(stop - at), "\r\n\r\n", 4);
        if (!end) break;
        c->content = content_length(at, end);
        at = end + 4;
        heads++;
    }
    c->held = (size_t)(stop - at);
    memmove(c->buffer, at, c->held);
    return heads;
}

static void serve(int fd) {
    struct connection *c = connections[fd];
    ssize_t got = read(fd, c->buffer + c->held, BUFFER - c->held);
    if (got <= 0) {
        drop(fd);
        return;
    }
    c->held += (size_t)got;
    for (int heads = consume(c); heads > 0; heads--) {
        if (write(fd, answer, sizeof answer - 1) != (ssize_t)(sizeof answer - 1)) {
            drop(fd);
            return;
        }
    }
}

int main(int count, char **words) {
    struct epoll_event events[EVENTS];
    int listener = listen_on(count > 1 ? atoi(words[1]) : 0), poll = epoll_create1(0);
    watch(poll, listener);
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener) take(poll, listener);
            else serve(events[i].data.fd);
        }
    }
}
