"""Options that several commands share."""

from typing import Annotated

import typer

from loa.app.admin_people import DEFAULT_TENANT

__all__ = ["DEFAULT_TENANT", "AnyTenant", "TenantName", "Yes"]

TenantName = Annotated[str, typer.Option("--tenant", metavar="NAME", help="The tenant it belongs to.")]
AnyTenant = Annotated[
    str | None, typer.Option("--tenant", metavar="NAME", help="Only of this tenant.", show_default=False)
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
