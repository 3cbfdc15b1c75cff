// SPDX-License-Identifier: BSD-2-Clause
/*
 * Causes: what the server said, or is not, and what was wrong with what it said, as the client.
 */
#include "diagnose/cause_rows.h"

#include "tls/names.h"

#define ACCESS_HINT "check the {upstream}'s access rules, including those for client certificates"

static const struct cause rows[] = {
	/* -- what the peer is not -- */
	{
		.slug = "peer-not-tls-http",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .all = O_NOT_TLS | O_HTTP },
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"the first bytes received are HTTP or HTML (error \"wrong version number\")",
		.message = "{peer} answered the ClientHello in plain HTTP.",
		.hint = "use {setting:plain}, or the port on which the {upstream} speaks TLS",
	},
	{
		.slug = "peer-not-tls-other",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .all = O_NOT_TLS },
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"the first bytes received are not a TLS record (error \"wrong version number\")",
		.message = "{peer} does not speak TLS; it answered {first}.",
		.hint = "correct the port; a STARTTLS service needs another kind of proxy",
	},

	/* -- what the peer said -- */
	{
		.slug = "sni-unrecognized",
		.when = { .all = O_SNI, .alert = { TLS_ALERT_UNRECOGNIZED_NAME } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "server_name sent; fatal alert 112 received",
		.message = "{peer} does not serve the name {sni} that it was asked for (SNI).",
		.hint = "set {setting:name} to a name that the {upstream} serves",
	},
	/* OpenSSL's security level leaves a server no signature for them. */
	{
		.slug = "protocol-version-rejected",
		.when = { .all = O_OLD_CLIENT,
			  .none = O_SERVER_HELLO,
			  .without = C_SUCCEEDED,
			  .alert = { TLS_ALERT_INTERNAL_ERROR } },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "sni-missing",
				  .all = O_NO_SNI,
				  .without = C_SNI_NEEDLESS },
				{ .slug = "peer-internal-error" } },
		.evidence = "nothing newer than TLS 1.1 was offered; fatal alert 80 as the first "
			    "answer",
		.message =
			"{peer} refused the ClientHello (alert 80), most likely for the versions "
			"that were offered ({versions}).",
		.doubt = "It may have had an internal error.",
		.hint = "widen {setting:versions} to a version that the {upstream} speaks",
	},
	{
		.slug = "sni-missing",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .all = O_NO_SNI,
			  .none = O_SERVER_HELLO | O_RETRY | O_DONE,
			  .without = C_SNI_NEEDLESS | C_FEW_SUITES | C_FEW_GROUPS | C_NO_NAME,
			  .alert = { TLS_ALERT_HANDSHAKE_FAILURE, TLS_ALERT_INTERNAL_ERROR,
				     TLS_ALERT_ILLEGAL_PARAMETER } },
		.confidence = CONFIDENCE_MEDIUM,
		.or_next = true,
		.candidates = { { .slug = "cipher-mismatch" },
				{ .slug = "group-mismatch" },
				{ .slug = "protocol-version-rejected", .all = O_NARROW } },
		.evidence =
			"no server_name in the ClientHello; the first answer is fatal alert 40, "
			"47 or 80; no handshake has succeeded without it before, and nothing "
			"unusual was offered",
		.message = "{peer} refused the ClientHello (alert {alert}), which carried no "
			   "server name (SNI).",
		.doubt = "Many servers answer like this when they need the name.",
		.hint = "{setting:send_sni}",
	},
	{
		.slug = "client-cert-required",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .all = O_DONE,
			  .any = O_CERT_ALERT | O_CERT_EMPTY,
			  .alert = { TLS_ALERT_CERTIFICATE_REQUIRED, TLS_ALERT_BAD_CERTIFICATE,
				     TLS_ALERT_HANDSHAKE_FAILURE, TLS_ALERT_CERTIFICATE_UNKNOWN } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence =
			"TLS 1.3: fatal alert 116 received after the handshake was complete; or "
			"alert 42, 40 or 46, and the lengths of the encrypted records show that "
			"the certificate request was answered with none",
		.message = "{peer} requires a client certificate and got none.",
		.hint = "{setting:give_certificate}",
	},
	{
		.slug = "client-cert-required-legacy",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .all = O_CERT_REQUESTED | O_CERT_EMPTY,
			  .alert = { TLS_ALERT_HANDSHAKE_FAILURE, TLS_ALERT_BAD_CERTIFICATE,
				     TLS_ALERT_CERTIFICATE_REQUIRED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence =
			"TLS 1.2 or older: CertificateRequest received, empty Certificate sent, "
			"fatal alert 40 (or 42, 116) received",
		.message = "{peer} asked for a client certificate, got none, and refused the "
			   "handshake (alert {alert}).",
		.hint = "{setting:give_certificate}",
	},
	{
		.slug = "client-cert-untrusted",
		.when = { .alert = { TLS_ALERT_UNKNOWN_CA } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "fatal alert 48 received",
		.message = "{peer} does not trust the CA of our client certificate (alert 48).",
		.hint = "use a client certificate{with:client_certificate} from a CA that the "
			"{upstream} trusts, or add its CA there",
	},
	{
		.slug = "client-cert-expired",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .alert = { TLS_ALERT_CERTIFICATE_EXPIRED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "fatal alert 45 received",
		.message = "{peer} says our client certificate has expired (alert 45).",
		.hint = "renew the client certificate{with:client_certificate} and "
			"{setting:reload}",
	},
	{
		.slug = "client-cert-expired",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .all = O_CERT_SENT | O_CERT_VAGUE, .with = C_CLIENT_CERT_ENDED },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "fatal alert 42, 46 or 49 received; the client certificate that is "
			    "configured, and was sent, has expired",
		.message = "{peer} refused our client certificate (alert {alert}), which has "
			   "expired.",
		.hint = "renew the client certificate{with:client_certificate} and "
			"{setting:reload}",
	},
	/* Go, GnuTLS and Java say so of one whose CA they do not trust. */
	{
		.slug = "client-cert-untrusted",
		.when = { .all = O_CERT_SENT | O_CERT_VAGUE,
			  .without = C_CLIENT_CERT_UNFIT,
			  .alert = { TLS_ALERT_BAD_CERTIFICATE, TLS_ALERT_CERTIFICATE_UNKNOWN } },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { .slug = "client-cert-rejected" },
				{ .slug = "client-cert-expired" } },
		.evidence = "a client certificate was sent; fatal alert 42 or 46 received",
		.message =
			"{peer} refused our client certificate (alert {alert}), most likely as it "
			"does not trust its CA.",
		.doubt = "What the alert means depends on the server's implementation.",
		.hint = "use a client certificate{with:client_certificate} from a CA that the "
			"{upstream} trusts, or add its CA there",
	},
	{
		.slug = "client-cert-rejected",
		.when = { .all = O_CERT_REFUSED },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { .slug = "client-cert-required", .all = O_CERT_LACKED },
				{ .slug = "client-cert-untrusted",
				  .all = O_CERT_SENT | O_CERT_VAGUE },
				{ .slug = "client-cert-expired",
				  .all = O_CERT_SENT | O_CERT_VAGUE } },
		.evidence =
			"fatal alert 42, 43, 44 or 46 received, or 49 after a certificate was sent",
		.message = "{peer} refused our client certificate{or_none} (alert {alert}).",
		.doubt = "Servers differ in what they mean by this alert.",
		.hint = "check the client certificate{with:client_certificate}: extended key "
			"usage clientAuth, revocation, and the subject that the {upstream} "
			"expects",
	},
	{
		.slug = "alpn-mismatch",
		.when = { .alert = { TLS_ALERT_NO_APPLICATION_PROTOCOL } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "fatal alert 120 received",
		.message = "{peer} supports none of the application protocols offered (ALPN).",
		.hint = "compare {setting:protocol} with what the {upstream} serves",
	},
	/* A server of rustls answers so when it has no certificate for the name, or for none. */
	{
		.slug = "sni-missing",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .all = O_NO_SNI,
			  .none = O_SERVER_HELLO | O_RETRY | O_DONE,
			  .without = C_SNI_NEEDLESS | C_NO_NAME,
			  .alert = { TLS_ALERT_ACCESS_DENIED } },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "peer-access-denied" } },
		.evidence =
			"no server_name in the ClientHello; the first answer is fatal alert 49, "
			"and no handshake has succeeded without it before",
		.message = "{peer} refused the ClientHello (alert {alert}), which carried no "
			   "server name (SNI).",
		.doubt = "Servers that find no certificate without a name answer like this; so do "
			 "those that deny access.",
		.hint = "{setting:send_sni}",
	},
	{
		.slug = "peer-access-denied",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .none = O_SERVER_HELLO | O_RETRY | O_DONE,
			  .without = C_SUCCEEDED,
			  .alert = { TLS_ALERT_ACCESS_DENIED } },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "sni-unrecognized", .all = O_SNI },
				{ .slug = "sni-missing",
				  .all = O_NO_SNI,
				  .without = C_SNI_NEEDLESS } },
		.evidence =
			"the first answer is fatal alert 49, and no handshake with that name has "
			"succeeded before",
		.message = "{peer} denies access to this client (alert 49).",
		.doubt = "Some servers send this when they need a server name (SNI).",
		.hint = ACCESS_HINT,
		.wordings = { { .when = O_SNI,
				.doubt = "Some servers send this when they do not serve the name "
					 "that they were asked for (SNI).",
				.hint = "check whether the {upstream} serves the name {sni}; check "
					"its access rules" } },
	},
	{
		.slug = "peer-access-denied",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .alert = { TLS_ALERT_ACCESS_DENIED } },
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"fatal alert 49 received after the ServerHello, or where handshakes with "
			"that name have succeeded before",
		.message = "{peer} denies access to this client (alert 49).",
		.hint = ACCESS_HINT,
	},
	{
		.slug = "corrupt-record",
		.when = { .alert = { TLS_ALERT_BAD_RECORD_MAC } },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence = "fatal alert 20 received",
		.message = "{peer} could not decrypt what we sent (alert 20).",
		.doubt = "Bytes were changed in transit, or one side has a bug.",
		.hint = "look for a middlebox or a broken NIC offload on the path; compare with a "
			"capture on the other side",
	},
	{
		.slug = "peer-internal-error",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .alert = { TLS_ALERT_INTERNAL_ERROR } },
		.confidence = CONFIDENCE_LOW,
		.medium_if = O_PEER_SUCCEEDS | O_SERVER_HELLO,
		.candidates = { { .slug = "sni-unrecognized",
				  .all = O_SNI,
				  .without = C_SUCCEEDED },
				{ .slug = "protocol-version-rejected", .all = O_NARROW } },
		.evidence = "fatal alert 80 received",
		.message = "{peer} had an internal error during the handshake (alert 80).",
		.doubt =
			"Some servers send this when they do not serve the name asked for (SNI), or "
			"accept none of the TLS versions offered.",
		.hint = "check the {upstream}'s own log at that time",
	},
	{
		.slug = "protocol-version-rejected",
		.when = { .alert = { TLS_ALERT_PROTOCOL_VERSION } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "fatal alert 70 received",
		.message = "{peer} accepts none of the TLS versions offered ({versions}).",
		.hint = "widen {setting:versions} to a version that the {upstream} speaks",
	},
	{
		.slug = "protocol-version-too-old",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .reason = { TLS_REASON_UNSUPPORTED_VERSION } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "error \"unsupported protocol\", alert 70 sent",
		.message = "{peer} chose {version}, which this host does not allow (offered: "
			   "{versions}).",
		.hint = "upgrade TLS on the {upstream}; only as a last resort, and knowing the "
			"risk, allow the old version in {setting:versions}",
	},
	{
		.slug = "no-protocols-available",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .reason = { TLS_REASON_NO_VERSION_ENABLED } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "error \"no protocols available\", no ClientHello sent",
		.message = "{program} sent no ClientHello to {peer}: the configuration leaves no "
			   "TLS version to offer.",
		.hint = "widen {setting:versions}, or the system's MinProtocol in openssl.cnf",
	},
	{
		.slug = "dh-key-too-small",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .reason = { TLS_REASON_DH_KEY_TOO_SMALL } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "error \"dh key too small\"",
		.message = "{peer} uses a Diffie-Hellman key that is too small for this host's "
			   "OpenSSL.",
		.hint = "have the {upstream} use ECDHE, or a DH group of at least 2048 bits; if "
			"that cannot be done, exclude DHE in {setting:ciphers}",
	},
	{
		.slug = "legacy-renegotiation",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .reason = { TLS_REASON_LEGACY_RENEGOTIATION } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "error \"unsafe legacy renegotiation disabled\"",
		.message = "{peer} does not support secure renegotiation (RFC 5746).",
		.hint = "upgrade TLS on the {upstream}; only as a last resort, and knowing the "
			"risk: {setting:legacy_renegotiation}",
	},
	{
		.slug = "old-version-signature",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .all = O_OLD_VERSION,
			  .reason = { TLS_REASON_SIGNATURE_NOT_ACCEPTED,
				      TLS_REASON_NO_SHARED_SIGNATURE } },
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"a version before TLS 1.2 chosen, and an error about the kind of signature "
			"(\"wrong signature type\" and the like)",
		.message = "{peer} chose {version}, which signs with MD5 and SHA-1; the security "
			   "level of {library} on this host does not accept that, whatever the "
			   "certificate.",
		.hint = "upgrade TLS on the {upstream} to 1.2 or later; only as a last resort, "
			"and knowing the risk: {setting:lowest_security_level}",
	},
	{
		.slug = "legacy-signature",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .reason = { TLS_REASON_SIGNATURE_NOT_ACCEPTED,
				      TLS_REASON_NO_SHARED_SIGNATURE } },
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"an error about the kind of signature (\"wrong signature type\" and the like)",
		.message = "{peer} signs with an algorithm that {library} on this host does not "
			   "accept.",
		.hint = "upgrade TLS on the {upstream}, or give it another certificate, so that "
			"it signs with SHA-256 or better and a type of key that this host accepts",
	},
	{
		.slug = "downgrade-detected",
		.responsible = RESPONSIBLE_NETWORK,
		.when = { .reason = { TLS_REASON_FALLBACK_OR_DOWNGRADE } },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence =
			"error \"inappropriate fallback\" as the client: the random value of the "
			"ServerHello says that the server supports a higher version",
		.message = "{peer} chose {version} but signals that it supports a newer version: "
			   "something in between made it choose the old one.",
		.doubt = "A middlebox that inspects TLS does this; so does an attacker.",
		.hint = "look for a proxy or firewall on the path that inspects TLS; update it, "
			"or bypass it",
	},
	{
		.slug = "peer-signature-wrong",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .reason = { TLS_REASON_BAD_PEER_SIGNATURE } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "an error about the peer's signature (\"bad signature\" and the like)",
		.message = "{peer} did not prove that it has the private key of its certificate: "
			   "its handshake signature is wrong.",
		.hint = "check on the {upstream} that the private key belongs to the certificate; "
			"look for a middlebox that alters handshakes",
	},
	{
		.slug = "session-mismatch",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .reason = { TLS_REASON_SESSION_MISMATCH, TLS_REASON_EARLY_DATA } },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence =
			"an error about the session (\"old session cipher not returned\", \"binder does "
			"not verify\" and the like)",
		.message = "{peer} and this host disagree about a session that was to be resumed "
			   "({error}).",
		.doubt = "Servers that share an address but not their session keys can cause "
			 "this.",
		.hint = "make the servers behind that address share their session keys; until "
			"then, {setting:no_session_reuse}",
	},
	{
		.slug = "client-cert-unusable",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .reason = { TLS_REASON_OWN_CERTIFICATE_UNUSABLE,
				      TLS_REASON_OWN_CERTIFICATE_WEAK } },
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"an error about our own certificate (\"private key mismatch\", \"ee key too "
			"small\" and the like)",
		.message = "{library} on this host cannot use the client certificate meant for "
			   "{peer} ({error}).",
		.hint = "check that the client certificate{with:client_certificate} and its key "
			"belong together, and that key and signatures are strong enough for the "
			"security level of this host",
	},
	{
		.slug = "no-ciphers-available",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .reason = { TLS_REASON_NO_CIPHER_ENABLED } },
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"an error about our own cipher suites (\"no ciphers available\" and the like)",
		.message = "{program} has nothing to offer to {peer}: the configuration leaves no "
			   "cipher suite for the TLS versions it allows ({error}).",
		.hint = "widen {setting:ciphers} or {setting:versions}; the two must match",
	},
	{
		.slug = "peer-broken-answer",
		.when = { .any = O_PEER_BROKE },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence = "fatal alert 10, 47, 50 or 51 sent, or an error about a message that "
			    "is malformed, unexpected, too long or contradictory",
		.message = "{peer} answered with {answer} TLS does not allow at this "
			   "point{our_alert}.",
		.doubt = "Either the peer is broken, or something on the path is.",
		.hint = "update TLS on the {upstream}; look for a middlebox that alters "
			"handshakes",
	},
	{
		.slug = "insufficient-security",
		.when = { .alert = { TLS_ALERT_INSUFFICIENT_SECURITY } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "fatal alert 71 received",
		.message = "{peer} wants stronger cipher suites or keys than were offered (alert "
			   "71). Offered: {ciphers}.",
		.hint = "add stronger cipher suites to {setting:ciphers}",
	},
	/* OpenSSL as the server (SSL_R_REQUIRED_CIPHER_MISSING). */
	{
		.slug = "cipher-mismatch",
		.when = { .all = O_ILLEGAL,
			  .none = O_SERVER_HELLO | O_DONE,
			  .with = C_SESSION | C_FEW_SUITES | C_OFFER_OF_ONE_PLACE },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "resumption-refused" }, { .slug = "group-mismatch" } },
		.evidence =
			"a session of the peer was offered, and few cipher suites, while other places "
			"connect to the peer; alert 47 as the first answer",
		.message = "{peer} refused the ClientHello (alert {alert}): it offers to resume a "
			   "session, most likely without that session's cipher suite. Offered: "
			   "{ciphers}.",
		.doubt = "The alert does not say that.",
		.hint = "compare {setting:ciphers} and {setting:versions} with what the {upstream} "
			"accepts",
	},
	{
		.slug = "group-mismatch",
		.when = { .with = C_FEW_GROUPS,
			  .none = O_SERVER_HELLO | O_DONE,
			  .alert = { TLS_ALERT_HANDSHAKE_FAILURE, TLS_ALERT_ILLEGAL_PARAMETER } },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "cipher-mismatch" },
				{ .slug = "sni-missing",
				  .all = O_NO_SNI,
				  .without = C_SNI_NEEDLESS },
				{ .slug = "sni-unrecognized",
				  .all = O_SNI,
				  .without = C_SUCCEEDED } },
		.evidence = "the first answer is fatal alert 40 or 47, and no more than two groups "
			    "were offered",
		.message = "{peer} refused the ClientHello (alert {alert}), most likely because "
			   "of its groups; it offered only {groups}.",
		.doubt = "The alert itself does not say so.",
		.hint = "compare the groups (curves) that the {upstream} accepts with those "
			"offered here, which are set by {setting:groups}",
	},
	{
		.slug = "group-mismatch",
		.when = { .any = O_RETRY | O_ILLEGAL,
			  .none = O_SERVER_HELLO | O_DONE,
			  .alert = { TLS_ALERT_HANDSHAKE_FAILURE, TLS_ALERT_ILLEGAL_PARAMETER } },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "cipher-mismatch" } },
		.evidence =
			"fatal alert 40 or 47 after a HelloRetryRequest, or the first answer is "
			"47",
		.message =
			"{peer} refused the ClientHello{after_retry} (alert {alert}), most likely "
			"because of its groups; offered: {groups}.",
		.doubt = "The alert itself does not say so.",
		.hint = "compare the groups (curves) that the {upstream} accepts with those "
			"offered here, which are set by {setting:groups}",
	},
	{
		.slug = "cipher-mismatch",
		.when = { .none = O_SERVER_HELLO | O_DONE,
			  .alert = { TLS_ALERT_HANDSHAKE_FAILURE } },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "group-mismatch" },
				{ .slug = "sni-missing",
				  .all = O_NO_SNI,
				  .without = C_SNI_NEEDLESS },
				{ .slug = "sni-unrecognized",
				  .all = O_SNI,
				  .without = C_SUCCEEDED },
				{ .slug = "protocol-version-rejected", .all = O_NARROW },
				{ .slug = "client-cert-required-legacy", .all = O_CERT_EMPTY } },
		.evidence = "the first answer is fatal alert 40",
		.message = "{peer} refused the ClientHello (alert 40): no cipher suite, group or "
			   "signature algorithm in common. Offered: {ciphers} and the groups "
			   "{groups}.",
		.doubt = "The alert does not say which of them.",
		.hint = "compare {setting:ciphers} and {setting:versions} with what the {upstream} "
			"accepts",
	},
	{
		.slug = "peer-ended-handshake",
		.when = { .all = O_ALERT_NAMED },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "sni-missing", .all = O_NO_SNI | O_NO_SUCCESS },
				{ .slug = "sni-unrecognized", .all = O_SNI | O_NO_SUCCESS } },
		.evidence = "any other fatal alert received",
		.message = "{peer} ended the handshake (alert {alert}): {alert_means}.",
		.doubt = "Servers differ in what they mean by this alert.",
		.hint = "check the {upstream}'s own log at that time; compare what was offered "
			"(versions, cipher suites, groups, server name) with what it supports",
	},
};

const struct cause_part causes_peer = { rows, ARRAY_LEN(rows) };
