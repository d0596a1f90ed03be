"""The command `huanxin`."""

from __future__ import annotations

import typer

from huanxin.cli import account, allocation, batch, certificate, gate, hold, key, operator, partner, report, run, simulate

app = typer.Typer(
    name="huanxin", no_args_is_help=True, add_completion=False, rich_markup_mode="rich",
    help="号码焕新: renew phone numbers before they are sold again. "
    "report → plan → notify → answer → release → disclose.",
)  # fmt: skip
app.add_typer(report.app, name="report", help="Carriers' reports.")
app.add_typer(allocation.app, name="allocation", help="What carriers were allotted: the capacity of their pools.")
app.add_typer(hold.app, name="hold", help="Authorities' holds on numbers.")
app.add_typer(batch.app, name="batch", help="Batches of numbers that are renewed together.")
app.add_typer(gate.app, name="gate", help="The gate: what keeps numbers from being released.")
partner.app.command("accounts")(account.accounts)
partner.app.command("admit")(account.admit)
partner.app.command("selftest")(account.selftest)
partner.app.command("withdraw")(account.withdraw)
partner.app.command("free-name")(account.free_name)
partner.app.command("files")(account.use_files)
app.add_typer(partner.app, name="partner", help="Partners: whoever holds ties to numbers.")
app.add_typer(certificate.app, name="certificate", help="Certificates (易主证明): that a number changed hands on a day.")
app.add_typer(key.app, name="key", help="The platform's signing keys.")
app.add_typer(operator.app, name="operator", help="The people who may sign in to the console.")
app.add_typer(simulate.app, name="simulate", help="What if the rules were others: simulations on a carrier's own history.")
app.command("release")(gate.release)
app.command("serve")(run.serve)
app.command("worker")(run.worker)
app.command("demo")(run.demo)
app.add_typer(run.bench_app, name="bench")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
