"""What may be set about the practice portal."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator


class PracticeSettings(BaseModel):
    """Where the practice portal listens and how much it remembers. Port 0 takes a free one.

    Attributes:
        host: a loopback address; anything else is refused, because the portal knows no real protection.
        state_dir: where the local certificate authority is kept between runs; made when missing, for its owner only.
        reference_ports: listeners that stay well while the portal is broken on purpose.
        imap_port: of the door to the mailbox, with TLS from the first byte; None: there is none.
        name_port: of the name server, over UDP and TCP; None: there is none.
        smtp_require_auth: True refuses mail from who did not log in.
        max_dossiers, max_mails: the oldest are forgotten beyond these numbers.
        max_stored_bytes: of uploaded files together; beyond it the oldest files lose their content.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    http_port: int = Field(default=8781, ge=0, le=65535)
    https_port: int = Field(default=8782, ge=0, le=65535)
    smtp_port: int = Field(default=8725, ge=0, le=65535)
    reference_ports: tuple[int, ...] = (8783, 8784, 8785)
    imap_port: int | None = Field(default=None, ge=0, le=65535)
    name_port: int | None = Field(default=None, ge=0, le=65535)
    state_dir: Path = Path(".loketwacht/practice")
    smtp_require_auth: bool = False
    max_dossiers: int = Field(default=2000, ge=10)
    max_mails: int = Field(default=1000, ge=10)
    max_stored_bytes: int = Field(default=256 * 1024 * 1024, ge=1024 * 1024)

    @field_validator("host")
    @classmethod
    def _loopback(cls, host: str) -> str:
        try:
            loopback = ip_address(host).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise ValueError(
                f'"{host}" is not a loopback address; the practice portal is for this machine only: 127.0.0.1'
            )
        return host

    @field_validator("reference_ports")
    @classmethod
    def _real_ports(cls, ports: tuple[int, ...]) -> tuple[int, ...]:
        for port in ports:
            if not 0 <= port <= 65535:
                raise ValueError(f"{port} is not a port")
        return ports
