/*
 * Two repairs for Orthanc 1.10, loaded with LD_PRELOAD.
 *
 * 1. Its worker threads get small stacks, which GDCM overflows when it decodes: every stack has at least 8 MiB.
 * 2. It listens on every address whatever its configuration says: "any address" becomes the loopback address.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

static const size_t LEAST_STACK = 8u * 1024u * 1024u;

typedef int (*set_stack_size)(pthread_attr_t *, size_t);
typedef int (*bind_address)(int, const struct sockaddr *, socklen_t);

int pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size)
{
    set_stack_size original = (set_stack_size)dlsym(RTLD_NEXT, "pthread_attr_setstacksize");
    return original(attributes, size < LEAST_STACK ? LEAST_STACK : size);
}

static socklen_t to_loopback(struct sockaddr_storage *address, socklen_t length)
{
    if (address->ss_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in *four = (struct sockaddr_in *)address;
        if (four->sin_addr.s_addr == htonl(INADDR_ANY))
            four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else if (address->ss_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
        if (IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr))
            six->sin6_addr = in6addr_loopback;
    }
    return length;
}

int bind(int descriptor, const struct sockaddr *address, socklen_t length)
{
    bind_address original = (bind_address)dlsym(RTLD_NEXT, "bind");
    struct sockaddr_storage copy;

    if (address == NULL || length > sizeof copy)
        return original(descriptor, address, length);
    memset(&copy, 0, sizeof copy);
    memcpy(&copy, address, length);
    return original(descriptor, (struct sockaddr *)&copy, to_loopback(&copy, length));
}
