"""What stands beside a platform: its keys, and the folders that partners choose."""

from __future__ import annotations

from huanxin.acts import Platform
from huanxin.notify.own_folders import FolderRules
from huanxin.outbound import Outbound
from huanxin.settings import Settings
from huanxin.signing.keys import Signer


def open_signer(platform: Platform, settings: Settings) -> Signer:
    """The platform's signer; its first keys are made when there are none."""
    signer = Signer(
        issuer=platform.issuer, database=platform.database, passphrase=settings.passphrase(), clock=platform.clock,
        rehearsal=platform.sandbox,
    )  # fmt: skip
    signer.keys()
    return signer


def folder_rules(settings: Settings, outbound: Outbound) -> FolderRules:
    """Which folders partners may choose, and how they are reached."""
    return FolderRules(
        outbound=outbound, passphrase=settings.passphrase(), local=settings.local_folders,
        s3_services=tuple(settings.s3_services.replace(",", " ").split()),
    )  # fmt: skip
