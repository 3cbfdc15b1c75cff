#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What an SPDX 2.3 document may have in the places that ours uses, as a JSON schema: only these keys, those that are
required, and of words only those that there are. The names are those of SPDX's own schema for 2.3
(spdx.org/rdf/terms/2.3), which no package of Debian has, nor one of its validators; what ours does not use
is left out, so a key that is added to it has to be looked up there and be added here."""

HASHES = ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA3-256", "SHA3-384", "SHA3-512", "BLAKE2b-256",
          "BLAKE2b-384", "BLAKE2b-512", "BLAKE3", "MD2", "MD4", "MD5", "MD6", "ADLER32"]
RELATIONS = ["DESCRIBES", "CONTAINS", "DEPENDS_ON", "OPTIONAL_DEPENDENCY_OF"]
TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1}
ID = {"type": "string", "pattern": r"^SPDXRef-[a-zA-Z0-9.-]+$"}
# Of a calendar and a clock, in UTC.
TIME = {"type": "string",
        "pattern": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$"}


def record(required, optional=()):
    """An object that has the keys of REQUIRED, may have those of OPTIONAL, and no others."""
    return {"type": "object", "properties": {**required, **dict(optional)}, "required": sorted(required),
            "additionalProperties": False}


def list_of(item):
    return {"type": "array", "items": item, "minItems": 1}


CHECKSUM = record({"algorithm": {"enum": HASHES}, "checksumValue": {"type": "string", "pattern": "^[0-9a-f]+$"}})
CODE = record({"packageVerificationCodeValue": {"type": "string", "pattern": "^[0-9a-f]{40}$"}})
PACKAGE = record({"SPDXID": ID, "name": TEXT, "downloadLocation": TEXT}, {
    "versionInfo": TEXT, "packageFileName": TEXT, "filesAnalyzed": {"type": "boolean"},
    "packageVerificationCode": CODE, "licenseConcluded": TEXT, "licenseDeclared": TEXT,
    "licenseInfoFromFiles": TEXTS, "copyrightText": TEXT})
FILE = record({"SPDXID": ID, "fileName": {"type": "string", "pattern": r"^\./[^/]"},
               "checksums": list_of(CHECKSUM)},
              {"licenseConcluded": TEXT, "licenseInfoInFiles": TEXTS, "copyrightText": TEXT})
RELATION = record({"spdxElementId": ID, "relatedSpdxElement": ID, "relationshipType": {"enum": RELATIONS}})
DOCUMENT = record({
    "SPDXID": {"const": "SPDXRef-DOCUMENT"}, "spdxVersion": {"const": "SPDX-2.3"},
    "dataLicense": {"const": "CC0-1.0"}, "name": TEXT,
    # a URI without a fragment
    "documentNamespace": {"type": "string", "pattern": r"^[a-z][a-z0-9+.-]*:[^#\s]+$"},
    "creationInfo": record({"created": TIME, "creators": list_of(
        {"type": "string", "pattern": "^(Person|Organization|Tool): "})}),
}, {"packages": list_of(PACKAGE), "files": list_of(FILE), "relationships": list_of(RELATION)})
