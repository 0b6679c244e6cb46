"""Certificates made for one test: authorities, what they sign, and the files servers and clients read."""

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


class Authority:
    """Signs certificates; `file` holds its own."""

    def __init__(self, folder, name="test authority"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = named(name)
        builder = self._certificate(self.name, self.key, now() - DAY, now() + 30 * DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(SIGNS_CERTIFICATES, critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        self.certificate = builder.sign(self.key, hashes.SHA256())
        self.file = self.folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(pem(self.certificate))

    def _certificate(self, subject, key, begin, end):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )

    def issue(self, name, begin=-DAY, end=20 * DAY, passphrase=None):
        """A pair for 127.0.0.1 and localhost, in files of this name."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._certificate(named(name), key, now() + begin, now() + end)
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        encryption = (
            serialization.BestAvailableEncryption(passphrase)
            if passphrase
            else serialization.NoEncryption()
        )
        return Pair(
            self.folder / f"{name}.crt",
            self.folder / f"{name}.key",
            pem(certificate),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
            ),
            certificate,
        )

    def context(self, client=None, alpn=None):
        """What a client of servers with certificates of this authority uses."""
        context = ssl.create_default_context(cafile=self.file)
        if client:
            context.load_cert_chain(client.certificate, client.key)
        if alpn:
            context.set_alpn_protocols(alpn)
        return context


class Pair:
    """A certificate and its key, written to files that only their owner may read."""

    def __init__(self, certificate, key, certificate_pem, key_pem, parsed):
        self.certificate, self.key = certificate, key
        self.certificate_pem, self.key_pem = certificate_pem, key_pem
        self.serial = parsed.serial_number
        self.not_after = int(parsed.not_valid_after_utc.timestamp())
        key.touch(mode=0o600)
        key.write_bytes(key_pem)
        certificate.write_bytes(certificate_pem)

    def put_in_place_of(self, other):
        """Overwrites the files of another pair, as a renewal does."""
        other.key.write_bytes(self.key_pem)
        other.certificate.write_bytes(self.certificate_pem)

    def settings(self, *sections, client_ca=None):
        """What turns TLS on for these listeners."""
        settings = {}
        for section in sections:
            settings[f"{section}.tls.certificate_file"] = self.certificate
            settings[f"{section}.tls.key_file"] = self.key
            if client_ca:
                settings[f"{section}.tls.client_ca_file"] = client_ca
        return settings
