"""Certificates in every state, made anew for each run by an authority of our own."""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "hook.example"


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """Signs for `hook.example`, well or badly."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._root = self._certificate("root", self._key, self._key, "root")
        self.trust = self._root.public_bytes(serialization.Encoding.PEM).decode()

    def server(self, mood: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        host = "other.example" if mood == "wrong_host" else HOST
        signer = key if mood == "self_signed" else self._key
        made = self._certificate(host, key, signer, host if mood == "self_signed" else "root", mood)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if mood == "tls_1_1":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(made.public_bytes(serialization.Encoding.PEM))
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _certificate(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        signer: ec.EllipticCurvePrivateKey,
        issuer: str,
        mood: str = "",
    ) -> x509.Certificate:
        now = datetime.now(tz=UTC)
        ends = now - timedelta(days=1) if mood == "expired" else now + timedelta(days=1)
        is_root = name == "root"
        return (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(signer, hashes.SHA256())
        )
