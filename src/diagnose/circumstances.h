/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is seen when a failure is looked at in its surroundings, as bits beside the observations: what
 * the program's configuration says of the connection, what is known of names, offers and ports, what
 * the peer did before. context.c derives them. A new one is a line here.
 */
#ifndef TLSFAIL_DIAGNOSE_CIRCUMSTANCES_H
#define TLSFAIL_DIAGNOSE_CIRCUMSTANCES_H

/* clang-format off */
#define CIRCUMSTANCES(X)                                                                           \
	/* the ClientHello, and the first answer */                                                \
	X(REFUSED_HELLO, "the first answer was alert 10, 40, 47, 49, 50, 80 or 112, a close or a reset") \
	X(FEW_SUITES, "few cipher suites or signature schemes, or one type of key only, were offered") \
	X(FEW_GROUPS, "few groups were offered, fewer than libraries offer by default")            \
	X(NO_ALPN, "no application protocol (ALPN) was offered")                                   \
	X(SESSION, "an earlier session was offered for resumption")                                \
	X(SHORTER_WORKS, "the handshake that created the session had a ClientHello of one packet") \
	X(SNI_MALFORMED, "the server_name is not one that RFC 6066 allows")                        \
	X(SNI_ODD, "the server_name is the name of an upstream group, or has no dot")              \
	X(ALERT_HIDDEN, "instead of its Finished the client sent what has the size of an encrypted alert") \
	/* the peer's certificate */                                                               \
	X(STRANGE_CERT, "we refused a certificate that does not match the name asked for")         \
	X(OTHER_EXPIRED, "none of the certificates received is the one that has expired")          \
	X(FOUND_GOOD, "the program asked for the verify code, and the certificate was good")       \
	X(NO_CHAIN, "at most one certificate was seen, and it is not self-issued")                 \
	X(RIGHT_CERT, "we refused a certificate that matches the name asked for")                  \
	X(NOT_FOR_SNI, "the certificate does not match the server_name that was sent")            \
	X(SHOWN_EXPIRED, "a session was resumed, and the certificate the peer presented before has expired") \
	X(RESULT_FOREIGN, "a session was resumed, and the issuer of the certificate the peer presented before is trusted here") \
	X(DEPTH_SHORT, "the chain received is longer than allowed, and the CA above it is trusted") \
	/* as the server */                                                                        \
	X(ALERT_MUTE, "instead of its Finished the client sent an alert that is encrypted, or of which only the header was read") \
	X(EARLY_DATA, "the client sent early data in a resumed session")                           \
	X(HELLO_TO_PLAIN, "a ClientHello was received, and this side answered in plain HTTP")     \
	X(NO_ANSWER, "a ClientHello was read, and this side has sent nothing")                    \
	X(SERVED_PLAIN, "plain text was received and answered, and not with a wish for TLS")      \
	X(ONLY_SSL, "nothing newer than SSL 3.0 was offered")                                      \
	/* the program's configuration */                                                          \
	X(ONE_PLACE, "one place in the configuration connects to the peer")                        \
	X(USES_TLS, "the configuration has TLS for this peer")                                     \
	X(CAN_SEND_NAME, "the configuration has a name that could be sent as server_name")         \
	X(NAME_UNSENT, "no server_name was sent, the configuration has a name for it, and the certificate is not known to match it") \
	X(NO_NAME, "the configuration has no host name that could be sent as server_name")         \
	X(CLIENT_CERT_ENDED, "the configured client certificate has expired")                      \
	X(CLIENT_CERT_UNFIT, "the configured client certificate is not meant for clients")         \
	X(OFFER_OF_ONE_PLACE, "few suites or groups were offered, and other places connect to the peer") \
	X(NAME_IS_ADDRESS, "the name that was compared with the certificate is an IP address")     \
	X(NAME_DOTTED, "the name that was compared with the certificate ends with a dot, and matches without it") \
	X(HEADER_FIRST, "a PROXY protocol header was sent before the ClientHello")                 \
	X(OTHERS_SEND_HEADER, "other places in the configuration send this peer such a header")    \
	X(UNANSWERED, "TCP was not connected: the SYN was not answered")                           \
	X(UNREACHABLE, "TCP was not connected: connect() failed with an error that the network reports") \
	X(NO_LOCAL_PORT, "TCP was not connected: no local port was free for that address and port") \
	X(MOVED, "the name configured for the peer now resolves to another address")               \
	X(GRPC, "it speaks gRPC, by its port or by other places of the configuration")              \
	/* of a connection that has not failed by itself */                                       \
	X(NAME_UNFIT, "the handshake was done and the connection closed here at once, without a request; the certificate is not for whom was asked for") \
	X(UNUSED_EXPIRED, "the handshake was done and the connection closed here at once, without a request; the certificate has expired") \
	X(UNUSED_EARLY, "the handshake was done and the connection closed here at once, without a request; the certificate is not valid yet") \
	X(NOTHING_SAID, "TCP was connected and closed here at once, without a byte; a place in the configuration that connects to the peer has a client certificate that depends on a variable") \
	X(REFUSED_PLAIN, "plain text was sent; the answer is a TLS alert, or says that TLS is expected") \
	X(IGNORED_PLAIN, "plain text was sent to a peer that has spoken TLS, or to port 443; it closed without an answer") \
	X(SUITE_B, "a certificate is not as Suite B demands, which this side asks for")            \
	X(NAMESAKE, "the issuer is missing, and a CA of that name is trusted")                     \
	X(STARTTLS_PORT, "the port belongs to a protocol that starts in plain text, and the answer is not known to be another one's") \
	X(STARTTLS_SPOKEN, "what was received is the beginning of a protocol that switches to TLS with a command") \
	/* what the peer did before */                                                             \
	X(SUCCEEDED, "a handshake with this peer and that name has succeeded before")              \
	X(SNI_NEEDLESS, "handshakes with this peer have succeeded without a server_name")          \
	X(SESSION_FAILS, "every handshake that offers a session fails, and others succeed")
/* clang-format on */

enum circumstance_number {
#define CIRCUMSTANCE_NUMBER(name, words) CIRCUMSTANCE_##name,
	CIRCUMSTANCES(CIRCUMSTANCE_NUMBER)
#undef CIRCUMSTANCE_NUMBER
	CIRCUMSTANCE_COUNT,
};
_Static_assert(CIRCUMSTANCE_COUNT <= 63, "a bit each, of a signed constant");

enum circumstance {
#define CIRCUMSTANCE_BIT(name, words) C_##name = 1LL << CIRCUMSTANCE_##name,
	CIRCUMSTANCES(CIRCUMSTANCE_BIT)
#undef CIRCUMSTANCE_BIT
};

/* What makes a finding of a connection that has not failed by itself; see symptoms_is_suspect(). */
#define C_OF_SUSPECTS                                                                              \
	(C_NAME_UNFIT | C_UNUSED_EXPIRED | C_UNUSED_EARLY | C_NOTHING_SAID | C_REFUSED_PLAIN |     \
	 C_IGNORED_PLAIN)

/* What it says. */
const char *circumstance_words(enum circumstance_number number);

#endif
