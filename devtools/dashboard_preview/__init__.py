"""A picture of a CloudWatch dashboard, made of its template and of what our functions print; without an account."""

from devtools.dashboard_preview.page import render
from devtools.dashboard_preview.series import Series
from devtools.dashboard_preview.template import dashboard_body

__all__ = ["Series", "dashboard_body", "render"]
