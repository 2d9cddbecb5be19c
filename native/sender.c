// What Linux can do for many readers and Node.js does not offer: bytes to TCP sockets without a stream in between, one or many in
// a call, runs of datagrams in one call (sendmmsg, and UDP_SEGMENT where the kernel has it), and a bound on what waits unsent in the
// kernel (TCP_NOTSENT_LOWAT).
//
// Every function takes a descriptor of the caller's, or several, and gives a number for each: what was taken, or an errno made negative.
// Nothing blocks, nothing is kept between calls, no memory is allocated. Arguments of other kinds throw a TypeError; a descriptor that
// is none, or of something else, is an errno like any other.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAPI_VERSION 8
#include <node_api.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
  // Datagrams of one call; the kernel cuts one buffer into 64 at most (UDP_MAX_SEGMENTS).
  MAX_DATAGRAMS = 64,
  // Buffers of one call for a TCP socket.
  MAX_PARTS = 64,
  // Of one buffer that the kernel cuts: with its headers it has to fit into the 16 bits of an IP packet's length.
  MAX_RUN_BYTES = 65000,
  MAX_ADDRESS_BYTES = 64,
  FRAME_HEADER_BYTES = 4,
};

typedef struct {
  uint8_t *data;
  size_t length;
} Bytes;

typedef struct {
  int32_t *data;
  size_t length;
} Numbers;

static napi_value number(napi_env env, int64_t value) {
  napi_value result = NULL;
  napi_create_int64(env, value, &result);
  return result;
}

static napi_value refuse(napi_env env, const char *why) {
  napi_throw_type_error(env, NULL, why);
  return NULL;
}

// True when there are exactly `count` arguments. Missing ones would be read as undefined.
static bool arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t there = count;
  return napi_get_cb_info(env, info, &there, values, NULL, NULL) == napi_ok && there == count;
}

// A whole number from `least` to `most`: what is no whole number would be rounded.
static bool whole(napi_env env, napi_value value, int32_t least, int32_t most, int32_t *result) {
  double exact = 0;
  if (napi_get_value_double(env, value, &exact) != napi_ok) return false;
  if (!(exact >= least && exact <= most)) return false;
  *result = (int32_t)exact;
  return *result == exact;
}

static bool descriptor(napi_env env, napi_value value, int32_t *fd) {
  return whole(env, value, 0, INT32_MAX, fd);
}

// The bytes of a Buffer or Uint8Array, valid until JavaScript runs again.
static bool bytes(napi_env env, napi_value value, Bytes *result) {
  napi_typedarray_type type = napi_int8_array;
  void *data = NULL;
  if (napi_get_typedarray_info(env, value, &type, &result->length, &data, NULL, NULL) != napi_ok) return false;
  result->data = data;
  return type == napi_uint8_array;
}

// The elements of an Int32Array, likewise.
static bool numbers(napi_env env, napi_value value, Numbers *result) {
  napi_typedarray_type type = napi_int8_array;
  void *data = NULL;
  if (napi_get_typedarray_info(env, value, &type, &result->length, &data, NULL, NULL) != napi_ok) return false;
  result->data = data;
  return type == napi_int32_array;
}

// How many of the bytes the kernel took.
static int32_t send_part(int fd, const Bytes *part) {
  const size_t length = part->length < INT32_MAX ? part->length : INT32_MAX;
  ssize_t sent;
  do sent = send(fd, part->data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return (int32_t)(sent < 0 ? -errno : sent);
}

// write(fd, bytes): how many bytes the kernel took for a TCP socket.
static napi_value write_bytes(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int32_t fd = -1;
  Bytes part;
  if (!arguments(env, info, 2, values) || !descriptor(env, values[0], &fd) || !bytes(env, values[1], &part))
    return refuse(env, "write(fd, bytes)");
  return number(env, send_part(fd, &part));
}

// writeAll(fds, bytes, taken): the same for each of the descriptors in an Int32Array; what the kernel took for each, or an errno made
// negative, is put into another one.
static napi_value write_all(napi_env env, napi_callback_info info) {
  napi_value values[3];
  Numbers fds, taken;
  Bytes part;
  if (!arguments(env, info, 3, values) || !numbers(env, values[0], &fds) || !bytes(env, values[1], &part) ||
      !numbers(env, values[2], &taken) || taken.length != fds.length)
    return refuse(env, "writeAll(fds, bytes, taken)");
  for (size_t index = 0; index < fds.length; index += 1) taken.data[index] = send_part(fds.data[index], &part);
  return NULL;
}

// The bytes of the first `most` buffers in an array; how many these are is put into `count`.
static bool many_bytes(napi_env env, napi_value value, uint32_t most, struct iovec *parts, uint32_t *count) {
  if (napi_get_array_length(env, value, count) != napi_ok) return false;
  if (*count > most) *count = most;
  for (uint32_t index = 0; index < *count; index += 1) {
    napi_value item;
    Bytes part;
    if (napi_get_element(env, value, index, &item) != napi_ok || !bytes(env, item, &part)) return false;
    parts[index] = (struct iovec){.iov_base = part.data, .iov_len = part.length};
  }
  return true;
}

// writeTogether(fd, parts): how many bytes the kernel took of the first 64 buffers in an array, one behind the other.
static napi_value write_together(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int32_t fd = -1;
  uint32_t count = 0;
  struct iovec parts[MAX_PARTS];
  if (!arguments(env, info, 2, values) || !descriptor(env, values[0], &fd) ||
      !many_bytes(env, values[1], MAX_PARTS, parts, &count))
    return refuse(env, "writeTogether(fd, parts)");
  const struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
  ssize_t sent;
  do sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return number(env, sent < 0 ? -errno : sent);
}

// limitUnsent(fd, bytes): at most about so much waits unsent in the kernel for a TCP socket.
static napi_value limit_unsent(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int32_t fd = -1, most = 0;
  if (!arguments(env, info, 2, values) || !descriptor(env, values[0], &fd) || !whole(env, values[1], 1, INT32_MAX, &most))
    return refuse(env, "limitUnsent(fd, bytes)");
  return number(env, setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most) < 0 ? -errno : 0);
}

// Binds a UDP socket of the caller's alone. Its descriptor, which the caller closes.
static int64_t open_bound(const char *address, int32_t port) {
  char service[8];
  snprintf(service, sizeof service, "%d", port);
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_DGRAM};
  struct addrinfo *own = NULL;
  if (getaddrinfo(address, service, &hints, &own) != 0) return -EINVAL;
  int fd = socket(own->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int64_t result = fd < 0 ? -errno : fd;
  if (fd >= 0 && bind(fd, own->ai_addr, own->ai_addrlen) < 0) {
    result = -errno;
    close(fd);
  }
  freeaddrinfo(own);
  return result;
}

// openDatagrams(address, port): the descriptor of a bound UDP socket; the address is a literal.
static napi_value open_datagrams(napi_env env, napi_callback_info info) {
  napi_value values[2];
  char address[MAX_ADDRESS_BYTES + 1];
  size_t length = 0;
  int32_t port = 0;
  if (!arguments(env, info, 2, values) || !whole(env, values[1], 0, UINT16_MAX, &port) ||
      napi_get_value_string_utf8(env, values[0], address, sizeof address, &length) != napi_ok)
    return refuse(env, "openDatagrams(address, port)");
  // A longer one was cut, and a zero inside would end it: neither is an address.
  if (length == MAX_ADDRESS_BYTES || strlen(address) != length) return number(env, -EINVAL);
  return number(env, open_bound(address, port));
}

// ownAlone(fd): no other socket may be bound to the same port. libuv allows it for each socket that it adopts.
static napi_value own_alone(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int32_t fd = -1, off = 0;
  if (!arguments(env, info, 1, values) || !descriptor(env, values[0], &fd)) return refuse(env, "ownAlone(fd)");
  return number(env, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof off) < 0 ? -errno : 0);
}

// How many of the first datagrams one buffer can carry: all of one size but the last, which may be smaller.
static size_t run_of(const struct iovec *datagrams, size_t count) {
  size_t size = datagrams[0].iov_len, total = size, run = 1;
  while (run < count && datagrams[run - 1].iov_len == size) {
    size_t next = datagrams[run].iov_len;
    if (next == 0 || next > size || total + next > MAX_RUN_BYTES) break;
    total += next;
    run += 1;
  }
  return run;
}

typedef union {
  char space[CMSG_SPACE(sizeof(uint16_t))];
  struct cmsghdr aligned;
} Control;

static void cut_into(struct msghdr *message, Control *control, size_t size) {
  memset(control, 0, sizeof *control);
  message->msg_control = control->space;
  message->msg_controllen = sizeof control->space;
  struct cmsghdr *header = CMSG_FIRSTHDR(message);
  header->cmsg_level = SOL_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof(uint16_t));
  uint16_t segment = (uint16_t)size;
  memcpy(CMSG_DATA(header), &segment, sizeof segment);
}

// What one call of sendmmsg takes, for any number of sockets one after the other.
typedef struct {
  struct mmsghdr headers[MAX_DATAGRAMS];
  Control controls[MAX_DATAGRAMS];
  unsigned int used;
} Messages;

static void make_messages(Messages *messages, struct iovec *datagrams, size_t count, bool segment) {
  memset(messages->headers, 0, count * sizeof messages->headers[0]);
  messages->used = 0;
  for (size_t next = 0; next < count; messages->used += 1) {
    struct msghdr *message = &messages->headers[messages->used].msg_hdr;
    size_t run = segment ? run_of(datagrams + next, count - next) : 1;
    message->msg_iov = datagrams + next;
    message->msg_iovlen = run;
    if (run > 1) cut_into(message, &messages->controls[messages->used], datagrams[next].iov_len);
    next += run;
  }
}

// How many datagrams the kernel took.
static int32_t send_messages(int fd, Messages *messages) {
  if (messages->used == 0) return 0;
  int sent;
  do sent = sendmmsg(fd, messages->headers, messages->used, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return -errno;
  int32_t taken = 0;
  for (int index = 0; index < sent; index += 1) taken += (int32_t)messages->headers[index].msg_hdr.msg_iovlen;
  return taken;
}

// sendDatagrams(fd, datagrams, segment): how many the kernel took of the first 64 for a connected UDP socket.
// `segment`: runs of one size as one buffer, which the kernel or the network card cuts.
static napi_value send_datagrams(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int32_t fd = -1;
  bool segment = false;
  uint32_t count = 0;
  struct iovec datagrams[MAX_DATAGRAMS];
  if (!arguments(env, info, 3, values) || !descriptor(env, values[0], &fd) ||
      !many_bytes(env, values[1], MAX_DATAGRAMS, datagrams, &count) ||
      napi_get_value_bool(env, values[2], &segment) != napi_ok)
    return refuse(env, "sendDatagrams(fd, datagrams, segment)");
  Messages messages;
  make_messages(&messages, datagrams, count, segment);
  return number(env, send_messages(fd, &messages));
}

// Where the packets lie in a buffer in which each is behind `$`, a channel and its length in 16 bits (RFC 2326 10.12), the first 64 of
// them. False, with a TypeError thrown, where that is not so.
static bool unframe(napi_env env, const Bytes *framed, struct iovec *datagrams, size_t *count) {
  *count = 0;
  for (size_t offset = 0; offset < framed->length && *count < MAX_DATAGRAMS; *count += 1) {
    const size_t here = framed->length - offset;
    uint8_t *frame = framed->data + offset;
    if (here < FRAME_HEADER_BYTES || frame[0] != '$') {
      refuse(env, "no frame where one must be");
      return false;
    }
    const size_t length = (size_t)frame[2] << 8 | frame[3];
    if (here - FRAME_HEADER_BYTES < length) {
      refuse(env, "a frame beyond the end");
      return false;
    }
    datagrams[*count] = (struct iovec){.iov_base = frame + FRAME_HEADER_BYTES, .iov_len = length};
    offset += FRAME_HEADER_BYTES + length;
  }
  return true;
}

// sendFramed(fd, framed, segment): the same for packets that lie in one buffer, each in its frame.
static napi_value send_framed(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int32_t fd = -1;
  bool segment = false;
  Bytes framed;
  if (!arguments(env, info, 3, values) || !descriptor(env, values[0], &fd) || !bytes(env, values[1], &framed) ||
      napi_get_value_bool(env, values[2], &segment) != napi_ok)
    return refuse(env, "sendFramed(fd, framed, segment)");
  struct iovec datagrams[MAX_DATAGRAMS];
  size_t count;
  Messages messages;
  if (!unframe(env, &framed, datagrams, &count)) return NULL;
  make_messages(&messages, datagrams, count, segment);
  return number(env, send_messages(fd, &messages));
}

// sendFramedAll(fds, framed, segment, taken): the same for each of the descriptors, as writeAll.
static napi_value send_framed_all(napi_env env, napi_callback_info info) {
  napi_value values[4];
  bool segment = false;
  Numbers fds, taken;
  Bytes framed;
  if (!arguments(env, info, 4, values) || !numbers(env, values[0], &fds) || !bytes(env, values[1], &framed) ||
      napi_get_value_bool(env, values[2], &segment) != napi_ok || !numbers(env, values[3], &taken) ||
      taken.length != fds.length)
    return refuse(env, "sendFramedAll(fds, framed, segment, taken)");
  struct iovec datagrams[MAX_DATAGRAMS];
  size_t count;
  Messages messages;
  if (!unframe(env, &framed, datagrams, &count)) return NULL;
  make_messages(&messages, datagrams, count, segment);
  for (size_t index = 0; index < fds.length; index += 1) taken.data[index] = send_messages(fds.data[index], &messages);
  return NULL;
}

// Whether this kernel cuts buffers into datagrams (Linux 4.18).
static bool can_segment(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  int size = 0;
  socklen_t length = sizeof size;
  bool can = getsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, &length) == 0;
  close(fd);
  return can;
}

NAPI_MODULE_INIT() {
  napi_value segments;
  napi_property_descriptor members[] = {
      {"write", NULL, write_bytes, NULL, NULL, NULL, napi_enumerable, NULL},
      {"writeAll", NULL, write_all, NULL, NULL, NULL, napi_enumerable, NULL},
      {"writeTogether", NULL, write_together, NULL, NULL, NULL, napi_enumerable, NULL},
      {"limitUnsent", NULL, limit_unsent, NULL, NULL, NULL, napi_enumerable, NULL},
      {"openDatagrams", NULL, open_datagrams, NULL, NULL, NULL, napi_enumerable, NULL},
      {"ownAlone", NULL, own_alone, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sendDatagrams", NULL, send_datagrams, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sendFramed", NULL, send_framed, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sendFramedAll", NULL, send_framed_all, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  if (napi_define_properties(env, exports, sizeof members / sizeof members[0], members) != napi_ok) return NULL;
  if (napi_get_boolean(env, can_segment(), &segments) != napi_ok) return NULL;
  if (napi_set_named_property(env, exports, "segments", segments) != napi_ok) return NULL;
  return exports;
}
