#define _GNU_SOURCE
#include "records.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { response_capacity = 65535 };

static const char *response_code_name(int code) {
    switch (code) {
    case ns_r_formerr: return "FORMERR";
    case ns_r_servfail: return "SERVFAIL";
    case ns_r_notimpl: return "NOTIMP";
    case ns_r_refused: return "REFUSED";
    default: return NULL;
    }
}

static void fail(csys_answer *answer, const char *reason) {
    answer->outcome = CSYS_ANSWER_FAILED;
    snprintf(answer->reason, sizeof answer->reason, "%s", reason);
}

static void explain(csys_answer *answer, int code, const HEADER *header) {
    const char *name = header->qr ? response_code_name(header->rcode) : NULL;
    switch (code) {
    case HOST_NOT_FOUND: answer->outcome = CSYS_ANSWER_NO_SUCH_NAME; break;
    case NO_DATA: answer->outcome = CSYS_ANSWER_NO_RECORDS; break;
    default: fail(answer, name != NULL ? name : "no answer from the resolver"); break;
    }
}

// The response is freed by the caller; NULL where the outcome says why.
static uint8_t *query(csys_answer *answer, const char *name, int type, int tries) {
    struct __res_state state = {0};
    uint8_t *response = calloc(1, response_capacity);
    if (response == NULL || res_ninit(&state) != 0) {
        free(response);
        fail(answer, "the system's resolver could not be started");
        return NULL;
    }
    if (tries > 0) {
        state.retry = tries;
        state.retrans = 1;
    }
    int length = res_nquery(&state, name, ns_c_in, type, response, response_capacity);
    if (length < 0) explain(answer, state.res_h_errno, (const HEADER *)response);
    res_nclose(&state);
    if (length < 0) {
        free(response);
        return NULL;
    }
    answer->outcome = CSYS_ANSWER_RECORDS;
    answer->response_length = length < response_capacity ? length : response_capacity;
    return response;
}

void csys_look_up_records(csys_answer *answer, const char *name) {
    answer->response = query(answer, name, answer->kind, 0);
}

void csys_explain_silence(csys_answer *answer, const char *name) {
    fail(answer, "temporary failure in name resolution");
    csys_answer probe = {.kind = answer->kind};
    free(query(&probe, name, answer->kind == CSYS_QUERY_IPV4 ? ns_t_a : ns_t_aaaa, 1));
    // Whatever it says now, the first question failed: only a failure explains it.
    if (probe.outcome == CSYS_ANSWER_FAILED) fail(answer, probe.reason);
}
