"""A local SMTP server: STARTTLS with a certificate of its own, login, and the answers of a server in trouble."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import gc
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

USER, PASSWORD = "watchkeeper", "secret-of-the-mail"


class Mail:
    """The mails that were taken, what was said before STARTTLS, and how RCPT is answered next."""

    def __init__(self, folder: Path) -> None:
        self.mails: list[EmailMessage] = []
        self.in_the_clear: list[str] = []
        self.rcpt = "250 ok"
        self.offers_tls = True
        self.address = ""
        key, cert = _certificate(folder)
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(cert, key)
        self.trust = ssl.create_default_context(cafile=str(cert))

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # The client left, or distrusts the certificate, or the server stops: nobody is there to be told.
        finally:
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secure = False

        async def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")
            await writer.drain()

        await say("220 mail")
        while line := (await reader.readline()).decode().strip():
            word = line.split()[0].upper()
            if not secure:
                self.in_the_clear.append(line)
            if word == "EHLO":
                await say("250-mail")
                await say("250 AUTH PLAIN" if secure else "250 STARTTLS" if self.offers_tls else "250 HELP")
            elif word == "STARTTLS":
                await say("220 go ahead")
                await writer.start_tls(self.server)
                secure = True
            elif word == "AUTH":
                sent = base64.b64decode(line.split()[2]).decode()
                await say("235 ok" if sent == f"\0{USER}\0{PASSWORD}" else "535 no")
            elif word == "RCPT":
                await say(self.rcpt)
            elif word == "DATA":
                await say("354 go on")
                lines = []
                while (each := await reader.readline()) != b".\r\n":
                    lines.append(each)
                self.mails.append(message_from_bytes(b"".join(lines), policy=default))  # type: ignore[arg-type]
                await say("250 taken")
            elif word == "QUIT":
                await say("221 bye")
                break
            else:
                await say("250 ok")
        writer.close()
        await writer.wait_closed()


@contextmanager
def running(folder: Path) -> Iterator[Mail]:
    """Run the server until the block ends; then every connection is closed before the loop is."""
    mail = Mail(folder)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        server = loop.run_until_complete(asyncio.start_server(mail.handle, "127.0.0.1", 0))
        mail.address = f"localhost:{server.sockets[0].getsockname()[1]}"
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield mail
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.run_until_complete(_stop(server))
            gc.collect()


async def _stop(server: asyncio.Server) -> None:
    """Take no more connections, end those that are there, and wait until each has said that it is gone."""
    server.close()
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.wait(others)
        await asyncio.sleep(0)
    await server.wait_closed()


def _certificate(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    cert = (
        builder.not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_file, cert_file = folder / "key.pem", folder / "cert.pem"
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    return key_file, cert_file
