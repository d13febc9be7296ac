/*
 * One session: a cluster, a few threads that wait for its answers, and a socket that is told of each answer. The client's
 * asynchronous calls need the loop of Node.js, which Bun lacks; a batch of a thousand records costs one call here, so a few
 * waiting threads do as much.
 */
/* For strnlen. */
#define _POSIX_C_SOURCE 200809L

#include "session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS_MAX 64

enum { CONNECT = 1, BATCH = 2, SCAN = 3 };

typedef struct pp_message {
  struct pp_message *next;
  uint8_t *bytes;
  uint32_t size;
} pp_message;

typedef struct {
  pp_message *first;
  pp_message *last;
} pp_queue;

typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  pp_queue requests;
  pp_queue answers;
  bool is_ending;
  void *cluster;
  int told;
  uint32_t thread_count;
  pthread_t threads[THREADS_MAX];
} pp_session;

static void push(pp_queue *queue, pp_message *message) {
  message->next = NULL;
  if (queue->last == NULL) queue->first = message;
  else queue->last->next = message;
  queue->last = message;
}

static pp_message *pop(pp_queue *queue) {
  pp_message *message = queue->first;
  if (message == NULL) return NULL;
  queue->first = message->next;
  if (queue->first == NULL) queue->last = NULL;
  return message;
}

static void drop(pp_message *message) {
  if (message != NULL) free(message->bytes);
  free(message);
}

static void say(pp_error *error, const char *text) { snprintf(error->message, sizeof error->message, "%s", text); }

/* text hosts ("a:3000,b:3000"), text user, text password; an empty user is none. */
static int32_t connect_cluster(pp_session *session, pp_reader *in, pp_error *error) {
  const char *hosts = pp_read_text(in);
  const char *user = pp_read_text(in);
  const char *password = pp_read_text(in);
  if (in->failed || session->cluster != NULL) return PP_STATUS_CLIENT;
  pp_config config;
  pp_as.as_config_init(&config);
  if (!pp_as.as_config_add_hosts(&config, hosts, 3000)) {
    say(error, "the list of hosts is not understood");
    return PP_STATUS_CLIENT;
  }
  if (*user != 0 && !pp_as.as_config_set_user(&config, user, password)) {
    say(error, "user or password are too long");
    return PP_STATUS_CLIENT;
  }
  void *cluster = pp_as.aerospike_new(&config);
  const int32_t status = pp_as.aerospike_connect(cluster, error);
  if (status != PP_STATUS_OK) {
    pp_as.aerospike_destroy(cluster);
    return status;
  }
  session->cluster = cluster;
  return status;
}

/* Of a request u32 its number and u8 its kind are common; of an answer u32 the number, i32 status, u32 of bytes and the reason. */
static pp_message *answer(pp_session *session, const pp_message *request) {
  pp_reader in = {.at = request->bytes, .end = request->bytes + request->size};
  const uint32_t number = pp_read_u32(&in);
  const uint8_t kind = pp_read_u8(&in);
  pp_error *error = calloc(1, sizeof *error);
  pp_message *message = calloc(1, sizeof *message);
  if (error == NULL || message == NULL) abort();
  pp_writer body = {0};
  int32_t status = PP_STATUS_CLIENT;
  if (kind == CONNECT) status = connect_cluster(session, &in, error);
  else if (session->cluster == NULL) say(error, "not connected");
  else if (kind == BATCH) status = pp_batch(session->cluster, &in, &body, error);
  else if (kind == SCAN) status = pp_scan(session->cluster, &in, &body, error);
  if (in.failed) say(error, "a request was not understood");
  if (body.failed) {
    status = PP_STATUS_CLIENT;
    body.size = 0;
    say(error, "an answer did not fit into memory");
  }
  pp_writer out = {0};
  pp_write_u32(&out, number);
  pp_write_i32(&out, status);
  const uint32_t reason_bytes = (uint32_t)strnlen(error->message, sizeof error->message);
  pp_write_u32(&out, reason_bytes);
  pp_write(&out, error->message, reason_bytes);
  if (body.size > 0) pp_write(&out, body.bytes, body.size);
  if (out.failed) abort();
  free(body.bytes);
  free(error);
  message->bytes = out.bytes;
  message->size = out.size;
  return message;
}

static void *serve(void *argument) {
  pp_session *session = argument;
  pthread_mutex_lock(&session->lock);
  for (;;) {
    pp_message *request = pop(&session->requests);
    if (request == NULL) {
      if (session->is_ending) break;
      pthread_cond_wait(&session->wake, &session->lock);
      continue;
    }
    pthread_mutex_unlock(&session->lock);
    pp_message *message = answer(session, request);
    drop(request);
    pthread_mutex_lock(&session->lock);
    const bool was_empty = session->answers.first == NULL;
    push(&session->answers, message);
    /* A full socket has told already; whoever empties the queue needs to be told once. */
    if (was_empty) (void)!send(session->told, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  pthread_mutex_unlock(&session->lock);
  return NULL;
}

void *pp_aero_open(uint32_t thread_count, int32_t *told);
int pp_aero_submit(void *, const uint8_t *request, uint32_t bytes);
uint32_t pp_aero_next(void *);
void pp_aero_take(void *, uint8_t *answer);
void pp_aero_close(void *);

/* `told` becomes readable when there are answers; the caller closes it. NULL where the system has no more threads or files. */
void *pp_aero_open(uint32_t thread_count, int32_t *told) {
  int ends[2];
  pp_session *session = calloc(1, sizeof *session);
  if (session == NULL) return NULL;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    free(session);
    return NULL;
  }
  session->told = ends[1];
  pthread_mutex_init(&session->lock, NULL);
  pthread_cond_init(&session->wake, NULL);
  for (uint32_t i = 0; i < thread_count && i < THREADS_MAX; i++) {
    if (pthread_create(&session->threads[i], NULL, serve, session) != 0) break;
    session->thread_count++;
  }
  if (session->thread_count == 0) {
    close(ends[0]);
    pp_aero_close(session);
    return NULL;
  }
  *told = ends[0];
  return session;
}

/* Takes a copy of the request. -1 where there is no memory. */
int pp_aero_submit(void *handle, const uint8_t *request, uint32_t bytes) {
  pp_session *session = handle;
  pp_message *message = calloc(1, sizeof *message);
  uint8_t *copy = malloc(bytes);
  if (message == NULL || copy == NULL) {
    free(message);
    free(copy);
    return -1;
  }
  memcpy(copy, request, bytes);
  message->bytes = copy;
  message->size = bytes;
  pthread_mutex_lock(&session->lock);
  push(&session->requests, message);
  pthread_cond_signal(&session->wake);
  pthread_mutex_unlock(&session->lock);
  return 0;
}

/* Bytes of the oldest answer; 0 for none. */
uint32_t pp_aero_next(void *handle) {
  pp_session *session = handle;
  pthread_mutex_lock(&session->lock);
  const uint32_t size = session->answers.first == NULL ? 0 : session->answers.first->size;
  pthread_mutex_unlock(&session->lock);
  return size;
}

/* Copies the oldest answer, which `pp_aero_next` has told the size of, and forgets it. */
void pp_aero_take(void *handle, uint8_t *answer_bytes) {
  pp_session *session = handle;
  pthread_mutex_lock(&session->lock);
  pp_message *message = pop(&session->answers);
  pthread_mutex_unlock(&session->lock);
  if (message == NULL) return;
  memcpy(answer_bytes, message->bytes, message->size);
  drop(message);
}

/* Waits for the requests under way, so call it when none is. */
void pp_aero_close(void *handle) {
  pp_session *session = handle;
  pthread_mutex_lock(&session->lock);
  session->is_ending = true;
  pthread_cond_broadcast(&session->wake);
  pthread_mutex_unlock(&session->lock);
  for (uint32_t i = 0; i < session->thread_count; i++) pthread_join(session->threads[i], NULL);
  pp_error error;
  if (session->cluster != NULL) {
    pp_as.aerospike_close(session->cluster, &error);
    pp_as.aerospike_destroy(session->cluster);
  }
  while (session->answers.first != NULL) drop(pop(&session->answers));
  while (session->requests.first != NULL) drop(pop(&session->requests));
  close(session->told);
  pthread_cond_destroy(&session->wake);
  pthread_mutex_destroy(&session->lock);
  free(session);
}
