// One detached thread for each question, so that a name server that never answers delays nobody but its own asker, and
// never the end of the process. What they share is counted, and freed by the last who lets go.
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "addresses.h"
#include "records.h"

struct csys_resolver {
    pthread_mutex_t lock;
    csys_answer *first;
    csys_answer *last;
    int descriptor;
    int references;
};

typedef struct {
    csys_resolver *resolver;
    csys_answer *answer;
    char name[1024];
} question;

csys_resolver *csys_resolver_create(void) {
    csys_resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL) return NULL;
    resolver->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (resolver->descriptor < 0) {
        free(resolver);
        return NULL;
    }
    resolver->references = 1;
    pthread_mutex_init(&resolver->lock, NULL);
    return resolver;
}

int csys_resolver_descriptor(const csys_resolver *resolver) { return resolver->descriptor; }

const csys_endpoint *csys_answer_addresses(const csys_answer *answer) { return answer->addresses; }

void csys_answer_free(csys_answer *answer) {
    free(answer->response);
    free(answer);
}

void csys_resolver_release(csys_resolver *resolver) {
    pthread_mutex_lock(&resolver->lock);
    int left = --resolver->references;
    pthread_mutex_unlock(&resolver->lock);
    if (left > 0) return;
    csys_answer *answer;
    while ((answer = resolver->first) != NULL) {
        resolver->first = answer->next;
        csys_answer_free(answer);
    }
    close(resolver->descriptor);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

static void publish(csys_resolver *resolver, csys_answer *answer) {
    pthread_mutex_lock(&resolver->lock);
    if (resolver->last == NULL) resolver->first = answer;
    else resolver->last->next = answer;
    resolver->last = answer;
    pthread_mutex_unlock(&resolver->lock);
    uint64_t one = 1;
    ssize_t written = write(resolver->descriptor, &one, sizeof one);
    (void)written;
    csys_resolver_release(resolver);
}

csys_answer *csys_resolver_take(csys_resolver *resolver) {
    pthread_mutex_lock(&resolver->lock);
    csys_answer *answer = resolver->first;
    if (answer != NULL) {
        resolver->first = answer->next;
        if (resolver->first == NULL) resolver->last = NULL;
    } else {
        uint64_t count;
        ssize_t length = read(resolver->descriptor, &count, sizeof count);
        (void)length;
    }
    pthread_mutex_unlock(&resolver->lock);
    if (answer != NULL) answer->next = NULL;
    return answer;
}

static void explain_failure(csys_answer *answer, int code, const char *name, int system_error) {
    answer->outcome = CSYS_ANSWER_FAILED;
    switch (code) {
    case EAI_NONAME: answer->outcome = CSYS_ANSWER_NO_SUCH_NAME; break;
#ifdef EAI_NODATA
    case EAI_NODATA: answer->outcome = CSYS_ANSWER_NO_RECORDS; break;
#endif
#ifdef EAI_ADDRFAMILY
    case EAI_ADDRFAMILY: answer->outcome = CSYS_ANSWER_NO_RECORDS; break;
#endif
    case EAI_SYSTEM: csys_error_text(system_error, answer->reason, sizeof answer->reason); break;
    case EAI_AGAIN: csys_explain_silence(answer, name); break;
    default: snprintf(answer->reason, sizeof answer->reason, "%s", gai_strerror(code)); break;
    }
}

static void look_up_addresses(csys_answer *answer, const char *name) {
    struct addrinfo hints = {
        .ai_family = answer->kind == CSYS_QUERY_IPV4 ? AF_INET : AF_INET6,
        .ai_socktype = SOCK_DGRAM,
    };
    struct addrinfo *found = NULL;
    int code = getaddrinfo(name, NULL, &hints, &found);
    if (code != 0) {
        explain_failure(answer, code, name, errno);
        return;
    }
    for (struct addrinfo *item = found; item != NULL && answer->address_count < csys_most_addresses; item = item->ai_next) {
        csys_endpoint address;
        csys_endpoint_set(&address, item->ai_addr);
        if (address.family == answer->kind) answer->addresses[answer->address_count++] = address;
    }
    freeaddrinfo(found);
    answer->outcome = answer->address_count > 0 ? CSYS_ANSWER_RECORDS : CSYS_ANSWER_NO_RECORDS;
}

static void *answer_question(void *argument) {
    question *question = argument;
    csys_answer *answer = question->answer;
    if (answer->kind == CSYS_QUERY_IPV4 || answer->kind == CSYS_QUERY_IPV6) look_up_addresses(answer, question->name);
    else csys_look_up_records(answer, question->name);
    publish(question->resolver, answer);
    free(question);
    return NULL;
}

static int start_thread(question *question) {
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    int error = pthread_attr_init(&attributes);
    if (error != 0) return error;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 1 << 19);
    // Signals are the loop's affair.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, answer_question, question);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

int csys_resolver_ask(csys_resolver *resolver, uint32_t query, int kind, const char *name) {
    if (strlen(name) >= sizeof((question *)NULL)->name) return -ENAMETOOLONG;
    question *question = calloc(1, sizeof *question);
    csys_answer *answer = calloc(1, sizeof *answer);
    if (question == NULL || answer == NULL) {
        free(question);
        free(answer);
        return -ENOMEM;
    }
    answer->query = query;
    answer->kind = kind;
    question->resolver = resolver;
    question->answer = answer;
    strcpy(question->name, name);
    pthread_mutex_lock(&resolver->lock);
    resolver->references++;
    pthread_mutex_unlock(&resolver->lock);
    int error = start_thread(question);
    if (error == 0) return 0;
    csys_resolver_release(resolver);
    free(question);
    free(answer);
    return -error;
}
