/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of the probe and its server: see probing.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probing.h"

void probing_pki_make(struct probing_pki *pki)
{
	pki->root = pki_make(&(struct pki_spec){ .subject = "Root", .authority = true });
	pki->client_root =
		pki_make(&(struct pki_spec){ .subject = "Client Root", .authority = true });
	pki->intermediate = pki_make(&(struct pki_spec){
		.subject = "Intermediate", .issuer = &pki->root, .authority = true });
	pki->leaf = pki_make(&(struct pki_spec){
		.subject = PROBING_NAME, .dns = "DNS:" PROBING_NAME, .issuer = &pki->root });
	pki->deep = pki_make(&(struct pki_spec){ .subject = PROBING_NAME,
						 .dns = "DNS:" PROBING_NAME,
						 .issuer = &pki->intermediate });
	pki->elsewhere = pki_make(&(struct pki_spec){
		.subject = "elsewhere.test", .dns = "DNS:elsewhere.test", .issuer = &pki->root });
	pki->client_leaf =
		pki_make(&(struct pki_spec){ .subject = "me", .issuer = &pki->client_root });
	pki->client_expired = pki_make(&(struct pki_spec){ .subject = "me",
							   .issuer = &pki->client_root,
							   .begins = -20 * PKI_DAY,
							   .ends = -10 * PKI_DAY });
}

void probing_pki_free(struct probing_pki *pki)
{
	struct pki_cert *all[] = { &pki->root,	      &pki->intermediate,  &pki->leaf,
				   &pki->deep,	      &pki->elsewhere,	   &pki->client_root,
				   &pki->client_leaf, &pki->client_expired };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_free(all[i]);
}

SSL_CTX *probing_server(const struct pki_cert *cert)
{
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());

	assert_non_null(server);
	assert_int_equal(SSL_CTX_use_certificate(server, cert->x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(server, cert->key), 1);
	SSL_CTX_set_session_id_context(server, (const uint8_t *)"test", 4);
	return server;
}

void probing_old(SSL_CTX *server)
{
	SSL_CTX_set_security_level(server, 0);
	SSL_CTX_set_min_proto_version(server, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(server, TLS1_VERSION);
}

void probing_insist(SSL_CTX *server, const struct pki_cert *ca)
{
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

	SSL_CTX_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(server), ca->x509);
	sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(ca->x509)));
	SSL_CTX_set_client_CA_list(server, names);
}

void probing_client(struct client *client)
{
	client_init(client);
	memcpy(client->name, PROBING_NAME, sizeof(PROBING_NAME));
}

void probing_file(struct client_file *file, char *pem)
{
	free(file->pem);
	file->pem = pem;
	memcpy(file->path, "it.pem", sizeof("it.pem"));
}

void probing_trust(struct client *client, const struct pki_cert *ca)
{
	client->verify = true;
	probing_file(&client->ca, pki_pem_one(ca));
}

void probing_certificate(struct client *client, const struct pki_cert *cert)
{
	probing_file(&client->certificate, pki_pem_one(cert));
	probing_file(&client->key, pki_pem_key(cert));
}
