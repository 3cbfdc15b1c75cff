/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be observed on a failed connection, as bits: symptoms.c derives them from a failure, the
 * rule table is written in them. A new one is a line here; its words are what `tlsfail causes` and
 * docs/evidence.md say of it.
 */
#ifndef TLSFAIL_DIAGNOSE_OBSERVATIONS_H
#define TLSFAIL_DIAGNOSE_OBSERVATIONS_H

#include <stdint.h>

/* clang-format off */
#define OBSERVATIONS(X)                                                                            \
	/* the connection */                                                                       \
	X(REFUSED, "the SYN was answered with RST")                                                \
	X(PEER_DID_TLS, "this peer has sent TLS records before")                                   \
	X(TLS, "a handshake was begun")                                                            \
	X(DONE, "the handshake was completed on our side")                                         \
	X(PEER_FIN, "the peer closed")                                                             \
	X(PEER_RST, "the peer reset the connection")                                               \
	X(LOCAL, "we closed the connection, and the peer had not")                                 \
	X(EXITING, "our process was exiting")                                                      \
	X(UNASKED, "the peer closed before it had read a request, and asked for no certificate")   \
	X(ERROR, "an alert, or an error that says more than the close")                            \
	X(RAISED, "the TLS library raised an error that says more than the close")                 \
	X(PEER_BROKE, "the TLS library found that a message of the peer violates TLS")             \
	X(TIMER, "it lasted as long as a timer would allow")                                       \
	X(TIMER_REPEATED, "others of this process lasted just as long")                            \
	/* the ClientHello */                                                                      \
	X(HELLO, "a ClientHello was read")                                                         \
	X(HELLO_UNREAD, "the peer closed without reading the ClientHello")                         \
	X(UNACKED, "the ClientHello was retransmitted and never acknowledged")                     \
	X(SNI, "the ClientHello had a server_name")                                                \
	X(NO_SNI, "the ClientHello had no server_name")                                            \
	X(LARGE, "the ClientHello is longer than one packet")                                      \
	X(POST_QUANTUM, "the ClientHello has a key share for a post-quantum group")                \
	X(TLS13, "TLS 1.3 was offered")                                                            \
	X(NARROW, "not both TLS 1.2 and TLS 1.3 were offered")                                     \
	/* the answer */                                                                           \
	X(RX_NONE, "no byte of the handshake was received")                                        \
	X(SERVER_HELLO, "a ServerHello was received")                                              \
	X(OLD_VERSION, "a version before TLS 1.2 was chosen")                                      \
	X(RETRY, "a HelloRetryRequest was received")                                               \
	X(NOT_TLS, "what was received is not TLS")                                                 \
	X(HTTP, "what was received is HTTP")                                                       \
	/* alerts received, where more than one rule asks for them or it depends on what was before */ \
	X(ALERT, "a fatal alert was received")                                                     \
	X(ALERT_NAMED, "a fatal alert defined by TLS was received")                                \
	X(UNRECOGNIZED, "fatal alert 112, unrecognized_name, was received")                        \
	X(ILLEGAL, "fatal alert 47, illegal_parameter, was received")                              \
	X(CERT_ALERT, "fatal alert 116, certificate_required, was received")                       \
	X(CERT_REFUSED, "fatal alert 42, 43, 44 or 46 was received; 49, if a certificate was sent") \
	X(CERT_VAGUE, "fatal alert 42, 46 or 49 to a certificate, which some send whatever is wrong with it") \
	/* the certificate that we send as the client */                                           \
	X(CERT_REQUESTED, "the server asked for a client certificate")                             \
	X(CERT_EMPTY, "the request was answered with no certificate")                              \
	X(CERT_SENT, "the request was answered with a certificate")                                \
	X(CERT_LACKED, "no certificate is known to have been sent, and one may have been asked for") \
	/* the peer's certificate */                                                               \
	X(CERT, "the peer's certificate was read")                                                 \
	X(ONE_CERT, "one certificate was received, and it is not self-issued")                     \
	X(ISSUER_SENT, "the issuer of the peer's certificate was received with it")                \
	X(LEAF_FOR_SERVERS, "the extensions of the peer's certificate allow it to be a TLS server's")\
	X(ISSUER_MISSING, "more than one was received, and the leaf's issuer is not among them")   \
	X(VERIFY_REFUSED, "this side refused the certificate")                                     \
	X(VERIFY_CODE, "the program asked for the verify code")                                    \
	X(VERIFY_UNKNOWN, "why the certificate was refused is not known")                          \
	X(HOST_REFUSED, "X509_check_host refused the name")                                        \
	X(HOST_RETURN, "what X509_check_host returned was seen")                                   \
	/* as the server */                                                                        \
	X(PROXY_REQUEST, "what was received is HTTP's CONNECT")                                    \
	X(PROXY_PROTOCOL, "what was received is a PROXY protocol header")                          \
	X(HELLO_UNTAKEN, "the program looked at what begins a ClientHello, and did not read it")    \
	X(CLIENT_NO_CERT, "refused because the client has no certificate")                         \
	X(CLIENT_REFUSED, "refused because of the client's certificate")                           \
	X(BY_STATUS, "the configuration checks the OCSP status, and there is no verify code")      \
	X(OLD_CLIENT, "nothing newer than TLS 1.1 was offered")                                    \
	X(MAIL_COMMAND, "what was received is a mail protocol command, on a mail port")            \
	X(OTHER_SENT, "a fatal alert other than 112, unrecognized_name, was sent")                 \
	X(AWAITS_PROXY, "the configuration expects a PROXY protocol header, and none was seen")    \
	/* what the peer did before */                                                             \
	X(PEER_FAILS, "all handshakes with this peer fail")                                        \
	X(PEER_SUCCEEDS, "others with this peer, at about the same time, succeed")                 \
	X(NO_SUCCESS, "it is not known that any handshake with this peer succeeds")
/* clang-format on */

enum observation_number {
#define OBSERVATION_NUMBER(name, words) OBSERVATION_##name,
	OBSERVATIONS(OBSERVATION_NUMBER)
#undef OBSERVATION_NUMBER
	OBSERVATION_COUNT,
};
_Static_assert(OBSERVATION_COUNT <= 63, "a bit each, of a signed constant");

enum observation {
#define OBSERVATION_BIT(name, words) O_##name = 1LL << OBSERVATION_##name,
	OBSERVATIONS(OBSERVATION_BIT)
#undef OBSERVATION_BIT
};

/* "REFUSED" of O_REFUSED; and what it says. */
const char *observation_name(enum observation_number number);
const char *observation_words(enum observation_number number);

#endif
