/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the numbers of TLS libraries mean, in words that belong to none of them: why an error was
 * raised, how the verification of a certificate ended. The numbers of each library are in a backend
 * of its own, so that a 193 of one is never taken for a 193 of another. Pure.
 */
#ifndef TLSFAIL_TLS_LIBRARY_H
#define TLSFAIL_TLS_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose numbers they are. */
enum tls_library {
	TLS_LIBRARY_OPENSSL,   /* 3.0 and later */
	TLS_LIBRARY_OPENSSL_1, /* up to 1.1.1: some verify codes have other numbers */
	TLS_LIBRARY_BORINGSSL, /* and AWS-LC, which has its numbers */
};

/* ERR_LIB_SSL, in the first argument of the function that raises an error: include/openssl/err.h of
 * each. */
enum tls_error_source {
	TLS_ERROR_BORINGSSL = 16,
	TLS_ERROR_OPENSSL = 20,
};

/* Why an error was raised. Many numbers of a library have one reason where the fix is the same. */
enum tls_reason {
	TLS_REASON_NONE,	     /* there was no error */
	TLS_REASON_UNLISTED,	     /* a number that the backend does not have */
	TLS_REASON_ALERT,	     /* an alert was received */
	TLS_REASON_OTHER,	     /* one that says nothing by itself */
	TLS_REASON_INTERNAL,	     /* the library itself failed */
	TLS_REASON_NOT_IN_HANDSHAKE, /* of calls that are not made in handshakes */
	/* the peer does not speak TLS, or no more */
	TLS_REASON_HTTP_REQUEST,
	TLS_REASON_HTTPS_PROXY_REQUEST,
	TLS_REASON_NOT_TLS,
	TLS_REASON_UNEXPECTED_EOF,
	TLS_REASON_ENDED_HERE, /* the program ended the handshake itself */
	/* nothing in common */
	TLS_REASON_UNSUPPORTED_VERSION,
	TLS_REASON_NO_SHARED_CIPHER,
	TLS_REASON_NO_SHARED_GROUP,
	TLS_REASON_NO_SHARED_SIGNATURE,
	TLS_REASON_NO_APPLICATION_PROTOCOL,
	/* the peer's certificate, or what it signs with */
	TLS_REASON_VERIFY_FAILED,
	TLS_REASON_NO_PEER_CERTIFICATE,
	TLS_REASON_BAD_PEER_CERTIFICATE,
	TLS_REASON_BAD_PEER_SIGNATURE,
	TLS_REASON_SIGNATURE_NOT_ACCEPTED,
	TLS_REASON_STATUS_RESPONSE, /* OCSP stapling */
	TLS_REASON_CERTIFICATE_TRANSPARENCY,
	/* what is too weak for this library */
	TLS_REASON_DH_KEY_TOO_SMALL,
	TLS_REASON_LEGACY_RENEGOTIATION,
	TLS_REASON_FALLBACK_OR_DOWNGRADE,
	/* the program's own configuration */
	TLS_REASON_NO_VERSION_ENABLED,
	TLS_REASON_NO_CIPHER_ENABLED,
	TLS_REASON_OWN_CERTIFICATE_WEAK,
	TLS_REASON_OWN_CERTIFICATE_UNUSABLE,
	TLS_REASON_OWN_SETTINGS,
	TLS_REASON_NAME_CALLBACK_FAILED,	/* the program refuses the server name */
	TLS_REASON_CERTIFICATE_CALLBACK_FAILED, /* it could not get at a certificate */
	/* the peer breaks a rule */
	TLS_REASON_MALFORMED,
	TLS_REASON_UNEXPECTED_MESSAGE,
	TLS_REASON_MISSING_EXTENSION,
	TLS_REASON_CHOICE_NOT_OFFERED,
	TLS_REASON_BAD_KEY_EXCHANGE,
	TLS_REASON_CANNOT_DECRYPT,
	TLS_REASON_TOO_LONG,
	TLS_REASON_RENEGOTIATION,
	/* an earlier session, or data sent with it */
	TLS_REASON_SESSION_MISMATCH,
	TLS_REASON_EARLY_DATA,
	TLS_REASON_ECH, /* Encrypted ClientHello */
	TLS_REASON_COUNT,
};

/* How a verification ended. */
enum tls_verify {
	TLS_VERIFY_OK,
	TLS_VERIFY_OTHER, /* one that the backend does not have, or that says nothing by itself */
	TLS_VERIFY_EXPIRED,
	TLS_VERIFY_NOT_YET_VALID,
	/* trust */
	TLS_VERIFY_SELF_SIGNED,
	TLS_VERIFY_SELF_SIGNED_IN_CHAIN,
	TLS_VERIFY_NO_ISSUER_LOCALLY,
	TLS_VERIFY_CANNOT_VERIFY_FIRST,
	TLS_VERIFY_CA_WITHOUT_ISSUER, /* a CA is known here, and who issued it is not */
	TLS_VERIFY_CHAIN_TOO_LONG,
	TLS_VERIFY_TRUST_SETTING, /* the trusted file says what its CA is not trusted for */
	TLS_VERIFY_ISSUER_MISMATCH,
	/* revocation */
	TLS_VERIFY_REVOKED,
	TLS_VERIFY_CRL_MISSING,
	TLS_VERIFY_CRL_EXPIRED,
	TLS_VERIFY_CRL_NOT_YET_VALID,
	TLS_VERIFY_CRL_UNUSABLE,
	TLS_VERIFY_OCSP,
	/* what the certificate is, and is for */
	TLS_VERIFY_BAD_SIGNATURE,
	TLS_VERIFY_INVALID_CA,
	TLS_VERIFY_PATH_LENGTH,
	TLS_VERIFY_PURPOSE,
	TLS_VERIFY_NAME_CONSTRAINTS,
	TLS_VERIFY_POLICY,
	TLS_VERIFY_UNKNOWN_EXTENSION,
	TLS_VERIFY_PROFILE, /* a rule of RFC 5280 is broken, which is checked in strict mode */
	TLS_VERIFY_PROXY_CERTIFICATE,
	TLS_VERIFY_MALFORMED,
	/* strength */
	TLS_VERIFY_KEY_TOO_SMALL,
	TLS_VERIFY_CA_KEY_TOO_SMALL,
	TLS_VERIFY_DIGEST_TOO_WEAK,
	TLS_VERIFY_ALGORITHM, /* a key or a signature of a kind that is not taken */
	TLS_VERIFY_SUITE_B,   /* the same, as this side demands Suite B (RFC 6460) */
	/* who the peer is */
	TLS_VERIFY_HOSTNAME_MISMATCH,
	TLS_VERIFY_EMAIL_MISMATCH,
	TLS_VERIFY_ADDRESS_MISMATCH,
	TLS_VERIFY_DANE,
	TLS_VERIFY_TRANSPARENCY,
	/* the program */
	TLS_VERIFY_APPLICATION,
	TLS_VERIFY_LOCAL_FAILURE,
	TLS_VERIFY_COUNT,
};

/* Whose numbers they are: by the error's source, 0 if there was none, and by the version that is
 * known of the process, "" if it is not. */
enum tls_library tls_library_of(uint32_t source, const char *version);

/* Its name, for people. */
const char *tls_library_name(enum tls_library library);

/* Why the error of that number was raised; 0: TLS_REASON_NONE. */
enum tls_reason tls_reason_of(enum tls_library library, uint32_t number);

/* The library's words for the number, ours for a received alert, NULL when it has none. */
const char *tls_reason_words(enum tls_library library, uint32_t number);

/* Is the number that of a received alert, and which? All libraries have the same. */
bool tls_reason_is_alert(uint32_t number, uint8_t *alert);

/* How the verification ended that gave that code. */
enum tls_verify tls_verify_of(enum tls_library library, int32_t code);

/* "cert_has_expired" ...: X509_V_ERR_ name in lower case without its prefix, or NULL. */
const char *tls_verify_name(enum tls_library library, int32_t code);

/* What it says, as a sentence without its end: "a certificate in the chain has expired"; or NULL. */
const char *tls_verify_words(enum tls_library library, int32_t code);

/*
 * The alert that the library sends when it raises that error, for when the alert itself was
 * encrypted or not seen; code is that of the verification, 0 if it is not known. False: none, or
 * not known.
 */
bool tls_alert_for(enum tls_library library, uint32_t number, int32_t code, uint8_t *alert);

#endif
