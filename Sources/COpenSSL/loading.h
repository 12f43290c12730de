/// What is used of libssl and libcrypto, by pointers that `copenssl_load` fills.
#ifndef COPENSSL_LOADING_H
#define COPENSSL_LOADING_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define COPENSSL_CRYPTO_FUNCTIONS(X)                                                                                   \
    X(ASN1_INTEGER_set_uint64) X(ASN1_STRING_get0_data) X(ASN1_STRING_length) X(ASN1_TIME_diff) X(ASN1_TIME_free)      \
    X(ASN1_TIME_set) X(BIO_ADDR_free) X(BIO_ADDR_new) X(BIO_clear_flags) X(BIO_ctrl) X(BIO_free) X(BIO_get_data) X(BIO_get_new_index)                   \
    X(BIO_meth_free) X(BIO_meth_new) X(BIO_meth_set_create) X(BIO_meth_set_ctrl) X(BIO_meth_set_destroy)               \
    X(BIO_meth_set_read) X(BIO_meth_set_write) X(BIO_new) X(BIO_new_mem_buf) X(BIO_read) X(BIO_s_mem)                  \
    X(BIO_set_data) X(BIO_set_flags) X(BIO_set_init) X(BIO_write) X(ERR_clear_error) X(ERR_get_error) X(ERR_peek_error) \
    X(ERR_reason_error_string) X(EVP_PKEY_free) X(EVP_PKEY_get0_type_name) X(EVP_PKEY_get_bits) X(EVP_PKEY_Q_keygen)   \
    X(EVP_sha1) X(EVP_sha256) X(GENERAL_NAMES_free) X(HMAC) X(OBJ_nid2ln) X(OPENSSL_sk_num) X(OPENSSL_sk_pop_free)     \
    X(OPENSSL_sk_value) X(PEM_read_bio_PrivateKey) X(PEM_read_bio_X509) X(PEM_write_bio_PrivateKey)                    \
    X(PEM_write_bio_X509) X(PEM_X509_INFO_read_bio) X(RAND_bytes) X(X509_add_ext) X(X509_digest)                       \
    X(X509_EXTENSION_free) X(X509_free) X(X509_get0_notAfter) X(X509_get0_notBefore) X(X509_get0_pubkey)               \
    X(X509_get_ext_d2i) X(X509_get_issuer_name) X(X509_get_serialNumber) X(X509_get_signature_nid)                     \
    X(X509_get_subject_name) X(X509_getm_notAfter) X(X509_getm_notBefore) X(X509_INFO_free)                            \
    X(X509_NAME_add_entry_by_txt) X(X509_NAME_ENTRY_get_data) X(X509_NAME_get_entry) X(X509_NAME_get_index_by_NID)     \
    X(X509_NAME_print_ex) X(X509_new) X(X509_self_signed) X(X509_set_issuer_name) X(X509_set_pubkey)                   \
    X(X509_set_version) X(X509_sign) X(X509_STORE_add_cert) X(X509_STORE_add_crl) X(X509_STORE_CTX_get0_chain)         \
    X(X509_STORE_CTX_get0_param) X(X509_STORE_CTX_get0_untrusted) X(X509_STORE_CTX_get_error)                          \
    X(X509_STORE_CTX_get_error_depth) X(X509_STORE_CTX_get_ex_data) X(X509_STORE_CTX_set_error)                        \
    X(X509_STORE_CTX_set_verify_cb) X(X509_STORE_set_default_paths) X(X509_STORE_set_flags) X(X509_up_ref)             \
    X(X509_verify_cert) X(X509_verify_cert_error_string) X(X509_VERIFY_PARAM_set1_host) X(X509_VERIFY_PARAM_set1_ip)   \
    X(X509_VERIFY_PARAM_set_auth_level) X(X509_VERIFY_PARAM_set_depth) X(X509_VERIFY_PARAM_set_hostflags)              \
    X(X509_VERIFY_PARAM_set_time) X(X509_STORE_add_lookup)                 \
    X(X509_STORE_CTX_get1_issuer) X(X509_LOOKUP_hash_dir) X(X509_LOOKUP_ctrl) X(X509V3_EXT_conf_nid) X(X509V3_set_ctx)

#define COPENSSL_SSL_FUNCTIONS(X)                                                                                      \
    X(DTLS_client_method) X(DTLS_server_method) X(DTLS_set_timer_cb) X(DTLSv1_listen) X(SSL_alert_desc_string_long)    \
    X(SSL_CIPHER_get_name) X(SSL_ctrl) X(SSL_CTX_check_private_key) X(SSL_CTX_ctrl) X(SSL_CTX_free)       \
    X(SSL_CTX_get_cert_store) X(SSL_CTX_new) X(SSL_CTX_set_alpn_protos) X(SSL_CTX_set_alpn_select_cb)                  \
    X(SSL_CTX_set_cert_verify_callback) X(SSL_CTX_set_cipher_list) X(SSL_CTX_set_cookie_generate_cb)                   \
    X(SSL_CTX_set_cookie_verify_cb) X(SSL_CTX_set_num_tickets) X(SSL_CTX_set_options) X(SSL_CTX_set_security_level)    \
    X(SSL_CTX_set_verify) X(SSL_CTX_use_certificate) X(SSL_CTX_use_PrivateKey) X(SSL_do_handshake)   \
    X(SSL_free) X(SSL_get0_alpn_selected) X(SSL_get0_param) X(SSL_get_current_cipher) X(SSL_get_error)                 \
    X(SSL_get_ex_data) X(SSL_get_ex_data_X509_STORE_CTX_idx) X(SSL_get_version)                     \
    X(SSL_is_init_finished) X(SSL_new) X(SSL_read) X(SSL_select_next_proto) X(SSL_set_accept_state)     \
    X(SSL_set_bio) X(SSL_set_connect_state) X(SSL_set_ex_data) X(SSL_set_info_callback) X(SSL_set_options)             \
    X(SSL_shutdown) X(SSL_write) X(TLS_client_method) X(TLS_server_method)

// A pointer's name is the function's with this in front: none of them can be linked by mistake.
#define COPENSSL_DECLARE(name) extern __typeof__(name) *o_##name;
COPENSSL_CRYPTO_FUNCTIONS(COPENSSL_DECLARE)
COPENSSL_SSL_FUNCTIONS(COPENSSL_DECLARE)

void copenssl_load(void);

/// Reads PEM from memory.
BIO *copenssl_memory(const void *bytes, size_t size);

#endif
