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

enum { most_examined = 1000, response_capacity = 65535 };

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

// A character string (RFC 1035 s3.3) at `*next`; false where it overruns the record.
static bool take_text(const uint8_t **next, const uint8_t *end, char text[256]) {
    if (*next >= end || **next > end - *next - 1) return false;
    size_t length = **next;
    memcpy(text, *next + 1, length);
    text[length] = 0;
    *next += 1 + length;
    return true;
}

// dn_expand bounds its own jumps; the 255 bytes of a name may take more as text, and are then refused.
static bool take_name(const ns_msg *message, const uint8_t *next, char text[256]) {
    return dn_expand(ns_msg_base(*message), ns_msg_end(*message), next, text, 256) >= 0;
}

static bool read_record(const ns_msg *message, const ns_rr *item, csys_record *record) {
    const uint8_t *next = ns_rr_rdata(*item), *end = next + ns_rr_rdlen(*item);
    int numbers = ns_rr_type(*item) == ns_t_srv ? 3 : 2;
    if (end - next < numbers * 2) return false;
    for (int i = 0; i < numbers; i++, next += 2) record->numbers[i] = (uint16_t)ns_get16(next);
    if (ns_rr_type(*item) == ns_t_srv) return take_name(message, next, record->texts[0]);
    for (int i = 0; i < 3; i++) {
        if (!take_text(&next, end, record->texts[i])) return false;
    }
    return take_name(message, next, record->texts[3]);
}

static void read_response(csys_answer *answer, const uint8_t *response, int length) {
    ns_msg message;
    if (ns_initparse(response, length, &message) != 0) {
        fail(answer, "the resolver's answer is malformed");
        return;
    }
    int count = ns_msg_count(message, ns_s_an), malformed = 0;
    for (int i = 0; i < count && i < most_examined && answer->record_count < csys_most_records; i++) {
        ns_rr item;
        if (ns_parserr(&message, ns_s_an, i, &item) != 0) {
            malformed++;
            break;
        }
        // A CNAME on the way is the resolver's to follow.
        if ((int)ns_rr_type(item) != answer->kind) continue;
        csys_record record = {0};
        if (read_record(&message, &item, &record)) answer->records[answer->record_count++] = record;
        else malformed++;
    }
    if (answer->record_count > 0) answer->outcome = CSYS_ANSWER_RECORDS;
    else if (malformed > 0) fail(answer, "the resolver's answer is malformed");
    else answer->outcome = CSYS_ANSWER_NO_RECORDS;
}

static void explain(csys_answer *answer, int code, const HEADER *header) {
    const char *name = header->qr ? response_code_name(header->rcode) : NULL;
    switch (code) {
    case HOST_NOT_FOUND: answer->outcome = CSYS_ANSWER_NO_SUCH_NAME; break;
    case NO_DATA: answer->outcome = CSYS_ANSWER_NO_RECORDS; break;
    default: fail(answer, name != NULL ? name : "no answer from the resolver"); break;
    }
}

static void query(csys_answer *answer, const char *name, int type, int tries) {
    struct __res_state state = {0};
    uint8_t *response = calloc(1, response_capacity);
    if (response == NULL || res_ninit(&state) != 0) {
        free(response);
        fail(answer, "the system's resolver could not be started");
        return;
    }
    if (tries > 0) {
        state.retry = tries;
        state.retrans = 1;
    }
    int length = res_nquery(&state, name, ns_c_in, type, response, response_capacity);
    if (length > response_capacity) length = response_capacity;
    if (length >= 0 && tries == 0) read_response(answer, response, length);
    else if (length < 0) explain(answer, state.res_h_errno, (const HEADER *)response);
    res_nclose(&state);
    free(response);
}

void csys_look_up_records(csys_answer *answer, const char *name) { query(answer, name, answer->kind, 0); }

void csys_explain_silence(csys_answer *answer, const char *name) {
    fail(answer, "temporary failure in name resolution");
    csys_answer probe = {.kind = answer->kind};
    query(&probe, name, answer->kind == CSYS_QUERY_IPV4 ? ns_t_a : ns_t_aaaa, 1);
    // Whatever it says now, the first question failed: only a failure explains it.
    if (probe.outcome == CSYS_ANSWER_FAILED) fail(answer, probe.reason);
}
