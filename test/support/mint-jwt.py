"""Makes keys with Debian's cryptography and tokens with Debian's PyJWT.

Argument: where to write the public keys (JWKS). Reads a JSON list of {"alg", "claims"} and prints the tokens as a JSON list.
"""

import json
import sys

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.utils import base64url_encode

curve = ec.generate_private_key(ec.SECP256R1())
modulus = rsa.generate_private_key(public_exponent=65537, key_size=2048)
edwards = ed25519.Ed25519PrivateKey.generate()
point = curve.public_key().public_numbers()


def coordinate(value):
    return base64url_encode(value.to_bytes(32, "big")).decode()


keys = [
    {"kty": "EC", "crv": "P-256", "x": coordinate(point.x), "y": coordinate(point.y), "kid": "ec", "use": "sig"},
    {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(modulus.public_key())), "kid": "rsa"},
    {**json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(edwards.public_key())), "kid": "ed"},
]
with open(sys.argv[1], "w") as file:
    json.dump({"keys": keys}, file)

BY_ALGORITHM = {"ES256": (curve, "ec"), "RS256": (modulus, "rsa"), "PS256": (modulus, "rsa"), "EdDSA": (edwards, "ed")}
print(
    json.dumps(
        [
            jwt.encode(one["claims"], BY_ALGORITHM[one["alg"]][0], one["alg"], {"kid": BY_ALGORITHM[one["alg"]][1]})
            for one in json.load(sys.stdin)
        ]
    )
)
